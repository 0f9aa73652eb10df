package redisstream

import "strings"

// names are the keys of a queue. In a Redis Cluster all of them are in one slot.
type names struct{ stream, base string }

func newNames(o Options) names {
	n := names{stream: o.Key}
	if n.stream == "" {
		n.stream = o.Prefix + "queue:{" + o.Name + "}"
	}
	n.base = n.stream
	if hashTag(n.stream) == "" {
		n.base = "{" + n.stream + "}"
	}
	return n
}

// hashTag returns the part of a key that decides its slot, "" if it is the whole
// key.
func hashTag(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	tag, _, closed := strings.Cut(rest, "}")
	if !closed {
		return ""
	}
	return tag
}

func (n names) id(id string) string          { return n.base + ":id:" + id }
func (n names) key(key string) string        { return n.base + ":key:" + key }
func (n names) answer(id string) string      { return n.base + ":answer:" + id }
func (n names) done(group, id string) string { return n.base + ":done:" + group + ":" + id }
func (n names) dead() string                 { return n.base + ":dead" }
func (n names) dropped() string              { return n.base + ":dead:dropped" }
