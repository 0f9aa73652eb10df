package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry/auth"
)

// documentPath is where the OpenAPI document is, for everybody: it is the same
// everywhere.
const documentPath = Path + "openapi.json"

// document is the OpenAPI 3.1 document of these operations.
func (a *API) document(all []operation) ([]byte, error) {
	schemas := answers()
	paths := make(map[string]map[string]any)
	for i := range all {
		op := &all[i]
		if op.body != "" {
			schemas[op.body] = op.bodySchema
		}
		if paths[op.path] == nil {
			paths[op.path] = make(map[string]any)
		}
		paths[op.path][strings.ToLower(op.method)] = op.describe()
	}
	version := a.o.Version
	if version == "" {
		version = "0"
	}
	security := []any{map[string]any{"key": []string{}}}
	if a.o.Open {
		security = []any{}
	}
	return json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Belfry", "version": version,
			"description": "The way of backends to the clients of a real-time server. What succeeds was accepted by the cluster, whichever node was asked.",
		},
		"paths":    paths,
		"security": security,
		"components": map[string]any{
			"schemas": schemas,
			"securitySchemes": map[string]any{"key": map[string]any{
				"type": "http", "scheme": "bearer", "description": `An API key, or a token (JWT) whose grants have "api"`,
			}},
		},
	}, "", "  ")
}

// documentation is the operation that answers with the document. It is not in it.
func documentation(document []byte) operation {
	return operation{method: http.MethodGet, path: documentPath, public: true, handle: func(*call) ([]byte, error) { return document, nil }}
}

// describe is the operation as the document has it.
func (op *operation) describe() map[string]any {
	d := map[string]any{"operationId": op.id, "summary": op.summary, "description": op.doc, "responses": op.responses()}
	if len(op.params) > 0 {
		params := make([]any, len(op.params))
		for i, p := range op.params {
			params[i] = map[string]any{"name": p.name, "in": p.in, "required": p.in == "path", "description": p.doc, "schema": p.schema}
		}
		d["parameters"] = params
	}
	if op.body != "" {
		d["requestBody"] = map[string]any{"required": true, "content": content("application/json", op.body)}
	}
	return d
}

// responses lists the statuses with the codes that come with them.
func (op *operation) responses() map[string]any {
	codes := map[int][]string{}
	always := []Code{Invalid, Code(auth.Missing), Code(auth.Invalid), Code(auth.Expired), Code(auth.Forbidden), Code(auth.Unavailable), Internal}
	for _, c := range append(always, op.codes...) {
		codes[statuses[c]] = append(codes[statuses[c]], string(c))
	}
	r := map[string]any{"200": map[string]any{"description": "Done", "content": content("application/json", op.answer)}}
	for status, names := range codes {
		r[strconv.Itoa(status)] = map[string]any{
			"description": "code is " + strings.Join(names, " or "), "content": content("application/problem+json", "Problem"),
		}
	}
	return r
}

func content(media, name string) map[string]any {
	return map[string]any{media: map[string]any{"schema": ref(name)}}
}
