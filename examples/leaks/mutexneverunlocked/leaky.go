// Package mutexneverunlocked shows a mutex that is not unlocked on every path.
package mutexneverunlocked

import (
	"bytes"
	"encoding/json"
	"sync"
)

// EncoderLeaky turns values into JSON, in a buffer that is used again.
type EncoderLeaky struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Encode returns the JSON of a value.
//
// Mistake: for a value that has no JSON, such as NaN, it returns with the
// mutex locked. It is not that call that waits, but every one after it, of
// whatever value.
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
