package interop

import (
	"github.com/seed-09a96375/belfry/interop/subject"
	"testing"
)

func engineIO(t *testing.T, s *subject.Subject) {}
func socketIO(t *testing.T, s *subject.Subject) {}
