// Package bodynotclosed shows a response whose body is not closed on every path.
package bodynotclosed

import (
	"fmt"
	"io"
	"net/http"
)

// RateLeaky gets a rate of exchange.
//
// Mistake: an answer other than 200 returns before the body is closed. Its
// connection can neither be used again nor closed, and two goroutines of net/http
// wait for somebody to read on. They were started by the client: no function of
// this package is on their stacks. The Timeout of a client, which
// http.DefaultClient does not have, would end them in the end. The linter does not
// see it, since there is a way out on which the body is closed.
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
