package packet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// Binary is an argument that travels as an attachment. Plain []byte does, too.
type Binary []byte

// Marshal encodes args as a JSON array, as encoding/json does, but for this:
//   - []byte, Binary and any other slice of bytes becomes a placeholder and an
//     attachment, wherever it stands: in structs, maps, slices, pointers,
//     interfaces. nil is null. An empty one is an empty attachment, unless its
//     field says omitempty.
//   - <, > and & are not escaped.
//   - json.RawMessage is copied as it is; it has to be valid.
//   - A type with MarshalJSON or MarshalText is left to that method, also if
//     only its pointer has it.
//
// Attachments are numbered in the order of their placeholders. They alias the
// arguments, which must not change while the attachments are in use. How many
// there may be is for the caller to say: JavaScript clients refuse more than
// DefaultMaxAttachments.
func Marshal(args ...any) (data []byte, attachments [][]byte, err error) {
	e := encoder{dst: []byte{'['}}
	if err = e.args(args); err == nil {
		data, attachments, err = e.finish(0)
	}
	if err != nil {
		return nil, nil, err
	}
	return data, attachments, nil
}

// AppendEvent is Marshal for an event: the array begins with name. It appends to
// dst and attachments, and numbers placeholders on from len(attachments). The
// error is ErrReserved for a name that receivers refuse.
func AppendEvent(dst []byte, attachments [][]byte, name string, args ...any) ([]byte, [][]byte, error) {
	if Reserved(name) {
		return dst, attachments, fmt.Errorf("event %q: %w", name, ErrReserved)
	}
	e := encoder{dst: AppendString(append(dst, '['), name), attachments: attachments, comma: true}
	if err := e.args(args); err != nil {
		return dst, attachments, err
	}
	return e.finish(len(dst))
}

// encoder appends arguments to an open JSON array.
type encoder struct {
	dst         []byte
	attachments [][]byte
	comma       bool // before the next argument
	foreign     bool // JSON was added that may have placeholders of its own
}

// finish closes the array, which starts at the given index. A placeholder that
// came in with foreign JSON must not make every receiver refuse the packet.
func (e *encoder) finish(start int) ([]byte, [][]byte, error) {
	e.dst = append(e.dst, ']')
	if e.foreign && len(e.attachments) > 0 {
		if err := checkPlaceholders(e.dst[start:], len(e.attachments), 0); err != nil {
			return e.dst[:start], e.attachments, err
		}
	}
	return e.dst, e.attachments, nil
}

func (e *encoder) args(args []any) error {
	for i, arg := range args {
		if e.comma {
			e.dst = append(e.dst, ',')
		}
		e.comma = true
		if err := e.arg(arg); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// arg appends one argument, common types without reflection.
func (e *encoder) arg(arg any) error {
	switch v := arg.(type) {
	case nil:
		e.dst = append(e.dst, "null"...)
	case string:
		e.dst = AppendString(e.dst, v)
	case bool:
		e.dst = strconv.AppendBool(e.dst, v)
	case int:
		e.dst = strconv.AppendInt(e.dst, int64(v), 10)
	case int32:
		e.dst = strconv.AppendInt(e.dst, int64(v), 10)
	case int64:
		e.dst = strconv.AppendInt(e.dst, v, 10)
	case uint32:
		e.dst = strconv.AppendUint(e.dst, uint64(v), 10)
	case uint64:
		e.dst = strconv.AppendUint(e.dst, v, 10)
	case float64:
		return e.float(v)
	case []byte:
		e.binary(v)
	case Binary:
		e.binary(v)
	case json.RawMessage:
		return e.raw(v)
	default:
		return e.reflect(arg)
	}
	return nil
}

func (e *encoder) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is not a JSON number", f)
	}
	e.dst = appendNumber(e.dst, f)
	return nil
}

func (e *encoder) binary(b []byte) {
	if b == nil {
		e.dst = append(e.dst, "null"...)
		return
	}
	e.dst = appendPlaceholder(e.dst, len(e.attachments))
	e.attachments = append(e.attachments, b)
}

func (e *encoder) raw(m json.RawMessage) error {
	if m == nil {
		e.dst = append(e.dst, "null"...)
		return nil
	}
	if err := checkJSON(m, DefaultMaxDepth, 0); err != nil {
		return err
	}
	e.foreign = true
	e.dst = append(e.dst, m...)
	return nil
}

// reflect leaves the encoding to encoding/json. Slices of bytes are taken out of
// a copy of the argument before, tokens stand in for them; afterwards
// placeholders replace the tokens.
func (e *encoder) reflect(arg any) error {
	x := extraction{}
	if holdsBytes(reflect.TypeOf(arg)) {
		v, changed := x.replace(reflect.ValueOf(arg), 0)
		if x.err != nil {
			return x.err
		}
		if changed {
			arg = v.Interface()
		}
	}
	text, err := marshalJSON(arg)
	if err != nil {
		return err
	}
	e.foreign = true
	e.dst, e.attachments = x.appendReplaced(e.dst, e.attachments, text)
	return nil
}

func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

func appendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, `{"_placeholder":true,"num":`...)
	return append(strconv.AppendInt(dst, int64(num), 10), '}')
}
