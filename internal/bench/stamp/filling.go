package stamp

import "math/rand/v2"

// Filling returns what follows the stamp in the payloads of a run, so that they
// are size bytes long; size is at least Len. The same seed makes the same
// bytes, in every process. They need no escaping in JSON.
func Filling(seed uint64, size int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewPCG(seed, 0))
	p := make([]byte, size-Len)
	for i := range p {
		p[i] = letters[random.IntN(len(letters))]
	}
	return p
}
