package route_test

import (
	"context"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/route"
)

// TestIDsOfRecords: what makes publishing idempotent. A template that is empty for a
// record does not turn that off.
func TestIDsOfRecords(t *testing.T) {
	for _, test := range []struct{ name, template, record, value, want string }{
		{"the record's own", "", "S/1-0", `{}`, "s:S/1-0>0"},
		{"that of a template", "{payload.id|}", "S/1-0", `{"id":"a"}`, "s:a>0"},
		{"an empty one", "{payload.id|}", "S/1-0", `{"id":""}`, "s:S/1-0>0"},
		{"one that is missing", "{payload.id|}", "S/1-0", `{}`, "s:S/1-0>0"},
		{"a record without a name", "{payload.id|}", "", `{}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *belfry.Message
			r, err := route.New(route.Options{
				Sources: []route.Source{{Name: "s", Stream: "S", ID: test.template, Emit: route.Emit{Rooms: []string{"room"}}}},
			}, route.Links{Publish: func(_ context.Context, m *belfry.Message) error { got = m; return nil }})
			if err != nil {
				t.Fatal(err)
			}
			handle, err := r.Handle("s")
			if err != nil {
				t.Fatal(err)
			}
			err = handle(t.Context(), &belfry.Record{ID: test.record, Value: []byte(test.value)})
			if err != nil || got == nil || got.ID != test.want {
				t.Errorf("%+v %v, want the id %q", got, err, test.want)
			}
		})
	}
}
