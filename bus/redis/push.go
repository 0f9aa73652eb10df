package redis

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// push is what comes over a channel: one line
//
//	<seq> <seq before on this channel> <milliseconds> <epoch counter>
//
// and a body. A seq of 0 says that the message has none.
type push struct {
	seq, previous, stamp, epoch uint64
	body                        []byte
}

var errPush = errors.New("malformed push")

func parsePush(payload []byte) (push, error) {
	line, _, ok := bytes.Cut(payload[:min(len(payload), 100)], []byte{'\n'})
	body := payload[min(len(line)+1, len(payload)):]
	if !ok || len(body) == 0 {
		return push{}, errPush
	}
	var numbers [4]uint64
	for i := range numbers {
		word, rest, more := bytes.Cut(line, []byte{' '})
		n, err := strconv.ParseUint(string(word), 10, 64)
		if err != nil || more != (i < len(numbers)-1) {
			return push{}, errPush
		}
		numbers[i], line = n, rest
	}
	return push{numbers[0], numbers[1], numbers[2], numbers[3], body}, nil
}

func parseNumbers(line string) ([]uint64, error) {
	words := strings.Split(line, " ")
	numbers := make([]uint64, len(words))
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("number %d: %w", i, err)
		}
		numbers[i] = n
	}
	return numbers, nil
}

// pushOf makes what a node sends without a script.
func pushOf(body []byte) []byte { return append([]byte("0 0 0 0\n"), body...) }

// kind returns what the body is, 0 if it is of another version.
func (p push) kind() bodyKind {
	if len(p.body) < 2 || p.body[0] != bodyVersion {
		return 0
	}
	return bodyKind(p.body[1])
}

func isProbe(payload string) bool {
	i := strings.IndexByte(payload, '\n')
	return i > 0 && len(payload) > i+2 && bodyKind(payload[i+2]) == kindProbe
}

// mark tells where the log stands. See scripts/enter.lua.
type mark struct {
	serial, seq, stamp uint64
	epoch              epoch
	from               uint64 // the messages of the epoch come after it
}

func parseMark(body []byte) (mark, error) {
	words := strings.Split(string(body[2:]), " ")
	if len(words) < 6 {
		return mark{}, errPush
	}
	serial, err := strconv.ParseUint(words[0], 10, 64)
	seq, err2 := strconv.ParseUint(words[1], 10, 64)
	stamp, err3 := strconv.ParseUint(words[2], 10, 64)
	counter, err4 := strconv.ParseUint(words[4], 10, 64)
	from, err5 := strconv.ParseUint(words[5], 10, 64)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		return mark{}, errPush
	}
	return mark{serial, seq, stamp, epoch{words[3], counter}, from}, nil
}

// entry is one message of the log.
type entry struct {
	seq, stamp uint64
	channel    string
	body       []byte
}

// parseID reads "<seq>-<milliseconds>".
func parseID(id string) (seq, stamp uint64, err error) {
	a, b, _ := strings.Cut(id, "-")
	seq, err = strconv.ParseUint(a, 10, 64)
	stamp, err2 := strconv.ParseUint(b, 10, 64)
	return seq, stamp, errors.Join(err, err2)
}
