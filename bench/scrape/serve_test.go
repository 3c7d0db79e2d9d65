package main

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
)

// TestServe gets pages of several targets from a server in this process.
func TestServe(t *testing.T) {
	in, end := io.Pipe()
	stdout, out := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- serve(in, out, time.Minute) }()
	var port int
	_, err := fmt.Fscan(stdout, &port)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(target int, path string) (int, string) {
		response, err := client.Get("http://" + address(target, port) + path)
		require.NoError(t, err)
		defer func() { assert.NoError(t, response.Body.Close()) }()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	for _, path := range []string{"/debug/pprof/trace", "/metrics"} {
		status, body := get(20_003, path)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "shop003")
		_, body = get(20_004, path)
		assert.Contains(t, body, "shop004")
	}
	status, _ := get(1, "/debug/pprof/heap")
	assert.Equal(t, http.StatusNotFound, status)
	require.NoError(t, end.Close())
	require.NoError(t, <-served)
}

func TestTargetAt(t *testing.T) {
	for _, i := range []int{0, 255, 256, 24_999} {
		got, err := targetAt(address(i, 80))
		require.NoError(t, err)
		assert.Equal(t, i, got)
	}
	for _, wrong := range []string{"127.0.0.1", "localhost:80", "127.1.a.1:80", "127.1.1.b:80"} {
		_, err := targetAt(wrong)
		assert.Error(t, err, wrong)
	}
}

func TestConfigure(t *testing.T) {
	cfg, err := configure(meter.Plan{List: "/targets.json", Interval: time.Minute, Poll: time.Second, Capture: "profile"})
	require.NoError(t, err)
	require.NoError(t, cfg.(interface{ Validate() error }).Validate())
}
