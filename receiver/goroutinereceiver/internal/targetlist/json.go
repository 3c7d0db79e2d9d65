package targetlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLabels is the maximum number of used labels of a group.
const maxLabels = 1000

var (
	errGroup      = errors.New(`a group must be such as {"targets": ["10.0.0.5:6060"], "labels": {"job": "cart"}}, all of it text`)
	errGroupLabel = fmt.Errorf("a group has more than %d labels", maxLabels)
)

// jsonGroup is a group in JSON. It keeps only used labels, a tenth of the labels of Kubernetes.
type jsonGroup struct {
	Targets jsonAddresses `json:"targets"`
	Labels  jsonLabels    `json:"labels"`
}

type (
	jsonAddresses []string
	jsonLabels    Labels
)

// JSON parses a list in the format of Prometheus' file_sd and http_sd and the Target Allocator:
//
//	[{"targets": ["10.0.0.5:6060", "10.0.0.6:6060"], "labels": {"job": "cart"}}]
//
// Invalid groups are skipped. JSON never allocates more than MaxTargets targets.
func JSON(text []byte, labels Labels) (List, error) {
	if len(text) >= MaxSize {
		return List{}, ErrTooLarge
	}
	var list List
	decoder := json.NewDecoder(bytes.NewReader(text))
	switch first, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return List{}, errEmpty
	case err != nil:
		return List{}, jsonError(err)
	case first == nil: // null, as Go writes an empty list
		return list, requireEOF(decoder)
	case first != json.Delim('['):
		return List{}, errNotList
	}
	for groups := 0; decoder.More(); groups++ {
		if groups >= MaxTargets {
			return List{}, ErrTooMany
		}
		var g jsonGroup
		if err := decoder.Decode(&g); err != nil {
			if err := list.skipInvalid(err); err != nil {
				return List{}, err
			}
			continue
		}
		if err := list.add(group{Targets: g.Targets, Labels: g.Labels}, labels); err != nil {
			return List{}, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return List{}, jsonError(err)
	}
	return list.result(requireEOF(decoder))
}

// skipInvalid skips a group for which decoding returned err. It returns an error if the list as a
// whole is invalid.
func (l *List) skipInvalid(err error) error {
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case errors.Is(err, ErrTooMany):
		return ErrTooMany
	case mistyped:
		l.skip(errGroup)
	case errors.Is(err, errGroup), errors.Is(err, errGroupLabel):
		l.skip(err)
	default:
		return jsonError(err)
	}
	return nil
}

func jsonError(err error) error { return fmt.Errorf("not JSON, or cut off: %w", err) }

func requireEOF(decoder *json.Decoder) error {
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailingData
	}
	return nil
}

// UnmarshalJSON counts the addresses by their commas before it allocates them.
func (a *jsonAddresses) UnmarshalJSON(raw []byte) error {
	if bytes.Count(raw, []byte{','}) >= MaxTargets {
		return ErrTooMany
	}
	var all []string
	if err := json.Unmarshal(raw, &all); err != nil {
		return errGroup
	}
	*a = all
	return nil
}

// UnmarshalJSON keeps used labels and skips the others. raw is valid JSON.
func (l *jsonLabels) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '{' {
		return errGroup
	}
	*l = make(jsonLabels)
	for rest := trimLeftSpace(raw[1:]); rest[0] != '}'; {
		name, colon := cutString(rest)
		value := trimLeftSpace(trimLeftSpace(colon)[1:]) // after the colon
		if value[0] != '"' {
			return errGroup
		}
		text, after := cutString(value)
		if err := l.put(name, text); err != nil {
			return err
		}
		if rest = trimLeftSpace(after); rest[0] == ',' {
			rest = trimLeftSpace(rest[1:])
		}
	}
	return nil
}

// put adds a label if it is used. name and value are quoted.
func (l *jsonLabels) put(name, value []byte) error {
	if bytes.IndexByte(name, '\\') < 0 && !isUsed(string(name[1:len(name)-1])) { // without an allocation
		return nil
	}
	var unquoted string
	if err := json.Unmarshal(name, &unquoted); err != nil {
		return err
	}
	if !isUsed(unquoted) {
		return nil
	}
	if len(*l) >= maxLabels {
		return errGroupLabel
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return err
	}
	(*l)[unquoted] = text
	return nil
}

// cutString splits valid JSON after its leading string. text includes the quotes.
func cutString(raw []byte) (text, after []byte) {
	end := 1
	for raw[end] != '"' {
		if raw[end] == '\\' {
			end++
		}
		end++
	}
	return raw[:end+1], raw[end+1:]
}

func trimLeftSpace(raw []byte) []byte { return bytes.TrimLeft(raw, " \t\r\n") }
