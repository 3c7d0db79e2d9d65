package main

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var played atomic.Int64
		end := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { writeProgress(&out, &played, 4200, end) })
		played.Store(700)
		time.Sleep(progressInterval + time.Second)
		played.Store(1500)
		time.Sleep(progressInterval)
		close(end)
		wg.Wait()
		require.Equal(t, "700 of 4200 cases\n1500 of 4200 cases\n", out.String())
	})
}
