// Package mutexneverunlocked shows a mutex that is not unlocked on every path.
package mutexneverunlocked

import (
	"bytes"
	"encoding/json"
	"sync"
)

// EncoderLeaky encodes values as JSON in a reused buffer.
type EncoderLeaky struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Encode returns the JSON of a value.
//
// Mistake: if the value cannot be encoded, such as NaN, it returns with the mutex
// locked. Not this call waits forever, but every later one.
func (e *EncoderLeaky) Encode(value any) (string, error) {
	e.mu.Lock() // leaks here
	e.buffer.Reset()
	if err := json.NewEncoder(&e.buffer).Encode(value); err != nil {
		return "", err
	}
	text := e.buffer.String()
	e.mu.Unlock()
	return text, nil
}
