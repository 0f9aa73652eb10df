package redisstream

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"embed"
	"encoding/hex"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// script is a Lua text and the name by which Redis knows it.
type script struct{ text, sha string }

type scripts struct {
	create, append, trim, bound script
	settle, bury, answer        script
	reclaim, mine, hold, replay script
	tidy                        script
}

func newScripts() scripts {
	return scripts{
		create:  newScript("groups", "create"),
		append:  newScript("groups", "append"),
		trim:    newScript("groups", "trim"),
		bound:   newScript("bound"),
		settle:  newScript("answering", "settle"),
		bury:    newScript("answering", "bury"),
		answer:  newScript("answering", "answer"),
		reclaim: newScript("reclaim"),
		mine:    newScript("mine"),
		hold:    newScript("hold"),
		replay:  newScript("replay"),
		tidy:    newScript("tidy"),
	}
}

// newScript joins the files.
func newScript(files ...string) script {
	var text []byte
	for _, name := range files {
		part, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			panic(err) // embedded at build time
		}
		text = append(text, part...)
	}
	sum := sha1.Sum(text) //nolint:gosec // see above
	return script{text: string(text), sha: hex.EncodeToString(sum[:])}
}
