package httpapi

import "slices"

// operation is one thing that the API does. What the OpenAPI document says of it is
// what it is called and read by.
type operation struct {
	method, path string // as http.ServeMux has them
	id           string // for generators of clients
	summary, doc string
	params       []parameter
	body         string // name of a schema; empty: there is none
	bodySchema   schema
	answer       string // name of a schema
	codes        []Code // of problems, beside those that all have
	public       bool   // needs no key
	handle       func(c *call) ([]byte, error)
}

// parameter is one of path or query.
type parameter struct {
	name, in, doc string
	schema        schema
}

func (op *operation) has(query string) bool {
	return slices.ContainsFunc(op.params, func(p parameter) bool { return p.in == "query" && p.name == query })
}

// taking makes an operation one with a body.
func taking[T any](op operation, o *object[T], handle func(c *call, in *T) ([]byte, error)) operation {
	op.body, op.bodySchema = o.name, o.schema()
	op.codes = append(op.codes, Malformed, TooLarge, UnsupportedMedia)
	op.handle = func(c *call) ([]byte, error) {
		raw, err := c.body()
		if err != nil {
			return nil, err
		}
		in := new(T)
		r := newReader()
		o.read(r, raw, in)
		if len(r.faults) > 0 {
			return nil, faulty(Invalid, r.faults, r.more)
		}
		return handle(c, in)
	}
	return op
}

func inPath(name, doc string, limit int) parameter {
	return parameter{name, "path", doc, textSchema(limit)}
}

func (a *API) namespaceParam() parameter {
	return parameter{"namespace", "query", "default " + a.o.Namespaces[0], textSchema(maxNamespace)}
}

// pageParams are those of lists.
func pageParams() []parameter {
	return []parameter{
		{"limit", "query", "how many at the most; default 100", schema{"type": "integer", "minimum": 1, "maximum": maxPage}},
		{"after", "query", "what next was in the answer before", schema{"type": "string"}},
	}
}

// operations are all there are.
func (a *API) operations() []operation {
	return slices.Concat(a.publishing(), a.rooms(), a.sessions(), a.users(), a.others())
}
