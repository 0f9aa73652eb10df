package worker

import "testing"

func TestAnswerLength(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n"
	for in, want := range map[string]int{
		answer: len(answer), answer + "HTTP/1.1 200 OK": len(answer), answer[:len(answer)-1]: 0, "HTTP/1.1 200": 0,
		"HTTP/1.1 401 Unauthorized\r\n\r\n":                     -1,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n": -1,
		"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n":         -1,
	} {
		n, err := answerLength([]byte(in))
		if err != nil {
			n = -1
		}
		if n != want {
			t.Errorf("%q: %d, %v, want %d", in, n, err, want)
		}
	}
}
