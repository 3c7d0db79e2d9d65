// Package bodynotclosed shows a response whose body is not closed on every path.
package bodynotclosed

import (
	"fmt"
	"io"
	"net/http"
)

// RateLeaky gets an exchange rate.
//
// Mistake: for a status other than 200 it returns without closing the body. The
// connection can neither be reused nor closed, and two goroutines of net/http wait
// for the rest of the body to be read. They were started by the client, so no
// function of this package is on their stacks. Client.Timeout would end them;
// http.DefaultClient has none. Linters do not report it, since the body is closed on
// one path.
func RateLeaky(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the bank says %s", resp.Status)
	}
	defer func() { _ = resp.Body.Close() }()
	rate, err := io.ReadAll(resp.Body)
	return string(rate), err
}
