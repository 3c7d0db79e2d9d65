package bodynotclosed

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// RateRepaired is RateLeaky without the leak.
//
// Fix: defer the close right after the check of the error. A context ends the
// request if the bank does not respond.
func RateRepaired(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the bank says %s", resp.Status)
	}
	rate, err := io.ReadAll(resp.Body)
	return string(rate), err
}
