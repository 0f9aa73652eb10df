package redis

import "encoding/binary"

// A batch is messages that go to one channel, one after the other. After version and
// kind comes, for each, the length in four bytes, the highest first, and its body.
// Their numbers follow each other; the first has that of the push, or, in the log,
// they end with that of the entry.

// encodeBatch returns the body of a batch.
func encodeBatch(bodies [][]byte) []byte {
	size := 2
	for _, b := range bodies {
		size += 4 + len(b)
	}
	batch := append(make([]byte, 0, size), bodyVersion, byte(kindBatch))
	for _, b := range bodies {
		batch = append(binary.BigEndian.AppendUint32(batch, uint32(len(b))), b...)
	}
	return batch
}

// bodiesOf returns the messages of a body, that is itself one of them if it is not a
// batch. It returns errBody if it is malformed.
func bodiesOf(body []byte) ([][]byte, error) {
	if len(body) < 2 || body[0] != bodyVersion || bodyKind(body[1]) != kindBatch {
		return [][]byte{body}, nil
	}
	var all [][]byte
	for rest := body[2:]; len(rest) > 0; {
		if len(rest) < 4 {
			return nil, errBody
		}
		n := uint64(binary.BigEndian.Uint32(rest))
		if n < 2 || n > uint64(len(rest)-4) {
			return nil, errBody
		}
		all = append(all, rest[4:4+n:4+n])
		rest = rest[4+n:]
	}
	if len(all) == 0 {
		return nil, errBody
	}
	return all, nil
}
