package interop
import ("testing";"github.com/seed-09a96375/belfry/interop/subject")
func httpCases(t *testing.T, kind server, s *subject.Subject) {}
func engineIO(t *testing.T, s *subject.Subject) {}
func socketIO(t *testing.T, s *subject.Subject) {}
