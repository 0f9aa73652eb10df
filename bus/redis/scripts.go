package redis

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"embed"
	"encoding/hex"
	"fmt"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// script is a Lua text and the name by which Redis knows it.
type script struct{ text, sha string }

// scriptSet is the scripts of one epoch. Each text names the epoch, so each
// epoch has scripts of its own: a Redis that is not the one it was has not
// loaded them, refuses to run them, and nothing is written in the wrong epoch.
type scriptSet struct {
	publish, beat, check, read, cross script
}

func newScriptSet(head string) scriptSet {
	return scriptSet{
		publish: newScript(head, "accept", "publish"),
		beat:    newScript(head, "beat"),
		check:   newScript(head, "check"),
		read:    newScript(head, "read"),
		cross:   newScript(head, "accept", "cross"),
	}
}

// head is what makes the scripts of an epoch its own.
func (e epoch) head() string {
	return fmt.Sprintf("local EPOCH = '%d' -- %s\n", e.counter, e.replication)
}

// newScript joins the files after the head.
func newScript(head string, files ...string) script {
	text := head
	for _, name := range files {
		part, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			panic(err) // embedded at build time
		}
		text += string(part)
	}
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return script{text: text, sha: hex.EncodeToString(sum[:])}
}

// sharedScripts are those that no epoch needs.
type sharedScripts struct {
	enter, trim, peers, leave, sweep, disown script
	hold, keep, take, addresses              script
}

func newSharedScripts(head string) sharedScripts {
	return sharedScripts{
		enter:     newScript(head, "enter"),
		trim:      newScript(head, "trim"),
		peers:     newScript(head, "peers"),
		leave:     newScript(head, "leave"),
		sweep:     newScript(head, "sweep"),
		disown:    newScript(head, "disown"),
		hold:      newScript(head, "hold"),
		keep:      newScript(head, "keep"),
		take:      newScript(head, "take"),
		addresses: newScript(head, "addresses"),
	}
}
