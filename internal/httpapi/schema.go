package httpapi

import "maps"

// schema is a JSON Schema, as OpenAPI 3.1 has it (draft 2020-12).
type schema map[string]any

// with returns a copy with one more keyword.
func (s schema) with(key string, value any) schema {
	c := maps.Clone(s)
	c[key] = value
	return c
}

// structure is an object with these properties and no others.
func structure(properties schema, required ...string) schema {
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func list(of schema) schema { return schema{"type": "array", "items": of} }

// textSchema is a text; the limit is in bytes, that of the schema in characters.
func textSchema(limit int) schema {
	return schema{"type": "string", "minLength": 1, "maxLength": limit}
}

func is(kind, doc string) schema { return schema{"type": kind, "description": doc} }

func ref(name string) schema { return schema{"$ref": "#/components/schemas/" + name} }

// answers are the schemas of what is answered, by name.
func answers() map[string]schema {
	missing := list(is("string", "")).with("description", "nodes that did not answer in time: what they know is not here; not there if all did")
	failed := list(is("string", "")).with("description", "nodes that could not answer, and why")
	next := is("string", "give this as after for what follows; not there at the end")
	sessions := list(ref("Session"))
	all := map[string]schema{
		"Published": structure(schema{
			"offset":    is("string", "position in the log; not there if the message is not logged"),
			"duplicate": schema{"const": true, "description": "a message with this id was accepted before: nothing was published"},
		}),
		"PublishedBatch": structure(schema{"results": list(ref("Published"))}, "results"),
		"Rooms":          structure(schema{"rooms": list(is("string", "name")), "next": next, "missing": missing, "failed": failed}, "rooms"),
		"Session": structure(schema{
			"id": is("string", ""), "user": is("string", "not there: nobody in particular"), "node": is("string", "where it is"),
			"front": is("string", "by which protocol"), "rooms": list(is("string", "name")), "address": is("string", "of the client"),
			"connectedAt": schema{"type": "string", "format": "date-time"},
			"data":        schema{"description": "what the application keeps of it; only of a single session"},
		}, "id", "node", "rooms"),
		"Sessions": structure(schema{"sessions": sessions, "next": next, "missing": missing, "failed": failed}, "sessions"),
		"Disconnected": structure(schema{
			"sessions": list(is("string", "id")).with("description", "those that were told to go, as far as they are known"), "missing": missing, "failed": failed,
		}, "sessions"),
		"Joined": structure(schema{"sessions": is("integer", "how many were selected")}, "sessions"),
		"Done":   structure(schema{}),
		"Presence": structure(schema{
			"count": is("integer", "how many are in the room"), "members": list(ref("Present")), "state": list(ref("Entry")),
		}, "count"),
		"Present": structure(schema{
			"id": is("string", "of the session"), "user": is("string", ""), "meta": schema{"description": "what it says of itself"},
			"joinedAt": schema{"type": "string", "format": "date-time"}, "node": is("string", ""), "version": is("integer", ""),
		}, "id", "user", "joinedAt", "node", "version"),
		"Entry": structure(schema{
			"key": is("string", ""), "value": schema{}, "owner": is("string", "session: the entry ends with it"), "version": is("integer", ""),
		}, "key", "version"),
		"Nodes":   structure(schema{"nodes": list(ref("Node")), "failed": failed}, "nodes"),
		"Node":    nodeSchema(),
		"Fault":   faultSchema(),
		"Problem": problemSchema(),
	}
	maps.Copy(all, historySchemas())
	return all
}

func nodeSchema() schema {
	return structure(schema{
		"id": is("string", ""), "self": is("boolean", "the node that answers"), "answers": is("boolean", "through the bus, just now"),
		"url": is("string", "under which other nodes reach it"), "version": is("string", "of the node that answers"),
		"startedAt":     schema{"type": "string", "format": "date-time", "description": "of the node that answers"},
		"uptimeSeconds": is("integer", "of the node that answers"), "sessions": is("integer", "of the node that answers"),
		"ready": is("boolean", "of the node that answers: whether it should get clients"), "reasons": list(is("string", "why not")),
	}, "id", "self", "answers")
}

func faultSchema() schema {
	return structure(schema{
		"field":     is("string", "JSON pointer into the body"),
		"parameter": is("string", "name, if the fault is in path or query"),
		"detail":    is("string", "what is wrong"),
	}, "detail")
}

func problemSchema() schema {
	return structure(schema{
		"title": is("string", "the status in words"), "status": is("integer", "the status"),
		"code":    schema{"type": "string", "enum": codeNames(), "description": "what kind of fault, for programs"},
		"detail":  is("string", "what is wrong and what to do, for people"),
		"errors":  list(ref("Fault")).with("description", "each fault with its place"),
		"missing": list(is("string", "node")), "failed": list(is("string", "node and reason")),
		"results": list(ref("Published")).with("description", "of a batch: what was accepted, in its order; the rest was not tried, but for the first of it, which code and detail are about"),
	}, "title", "status", "code", "detail").with("description", "RFC 9457")
}
