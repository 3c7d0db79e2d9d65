package endpoint

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEndpoint(t *testing.T) {
	tests := []struct{ endpoint, address, instance string }{
		{"10.0.0.5:6060", "http://10.0.0.5:6060/debug/pprof", "10.0.0.5:6060"},
		{"localhost:6060/", "http://localhost:6060/debug/pprof", "localhost:6060"},
		{"http://cart", "http://cart/debug/pprof", "cart:80"},
		{"https://cart.example.com", "https://cart.example.com/debug/pprof", "cart.example.com:443"},
		{"http://cart:8080/pprof/", "http://cart:8080/pprof", "cart:8080/pprof"},
		{"[::1]:6060", "http://[::1]:6060/debug/pprof", "[::1]:6060"},
		{"fd00:10::5:6060", "http://[fd00:10::5]:6060/debug/pprof", "[fd00:10::5]:6060"},
		{"::1:6060/pprof", "http://[::1]:6060/pprof", "[::1]:6060/pprof"},
		{"https://fd00:10:0:0:0:0:0:5:6060", "https://[fd00:10:0:0:0:0:0:5]:6060/debug/pprof", "[fd00:10:0:0:0:0:0:5]:6060"},
		{"cart:6060/svc%2Fa/pprof/", "http://cart:6060/svc%2Fa/pprof", "cart:6060/svc/a/pprof"},
	}
	for _, test := range tests {
		u, err := Parse(test.endpoint)
		if assert.NoError(t, err, test.endpoint) {
			assert.Equal(t, test.address, u.String())
			assert.Equal(t, test.instance, Instance(u))
		}
	}
	for _, endpoint := range []string{
		"", ":6060", "127.0.0.1", "cart", "fd00:10::", "ftp://cart", "http://", "cart:0", "cart:99999", "cart:http", "http://cart?x=1", "http://cart#x",
		"cart:6060/debug/pprof/goroutine", "cart:6060/debug/pprof/trace", "http://user:secret@cart:6060", "http://user:secret@ca rt:6060", "http://user:secret@[::1",
	} {
		_, err := Parse(endpoint)
		if assert.Error(t, err, endpoint) {
			assert.Contains(t, err.Error(), `"endpoint"`)
			assert.NotContains(t, err.Error(), "secret", "the error contains the password")
		}
	}
}

// TestIdentity checks that all spellings of an address have the same identity.
func TestIdentity(t *testing.T) {
	for _, same := range [][]string{
		{"http://localhost:80", "LOCALHOST:80/debug/pprof", "http://localhost./"},
		{"fd00:10::5:6060", "[fd00:10:0:0:0:0:0:5]:6060", "http://[FD00:10::5]:6060/debug/pprof/"},
		{"cart:6060/a/pprof", "http://Cart:6060/a/pprof/"},
	} {
		first, err := Parse(same[0])
		require.NoError(t, err)
		for _, other := range same[1:] {
			u, err := Parse(other)
			require.NoError(t, err)
			assert.Equal(t, Identity(first), Identity(u), other)
		}
	}
}
