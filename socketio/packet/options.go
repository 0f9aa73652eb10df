package packet

const (
	// DefaultMaxAttachments is also the limit of the JavaScript client: more
	// than 10 cannot be sent to current clients.
	DefaultMaxAttachments = 10
	// DefaultMaxBytes is room for 10 attachments of the default Engine.IO
	// message limit.
	DefaultMaxBytes = 10_000_000
	// DefaultMaxDepth is far more than programs nest, and little enough that
	// recursive readers of the same payload are safe.
	DefaultMaxDepth = 512
)

// Options bounds what decoders accept. The zero value has the defaults.
type Options struct {
	// MaxAttachments of one packet; 0: DefaultMaxAttachments, negative: none.
	MaxAttachments int
	// MaxBytes is the limit of the attachments of one packet, all together; 0:
	// DefaultMaxBytes.
	MaxBytes int
	// MaxDepth is how deep arrays and objects may nest; 0: DefaultMaxDepth. The
	// array of the arguments counts as 1. Decoders recurse this deep.
	MaxDepth int
	// Intern returns the string of a namespace name other than "/". It lets a
	// server that knows its namespaces spare the allocation. name is lent. nil:
	// a new string each time.
	Intern func(name []byte) string
}

func (o Options) withDefaults() Options {
	if o.MaxAttachments == 0 {
		o.MaxAttachments = DefaultMaxAttachments
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	return o
}

// namespace returns name as a string, "/" and interned names without allocating.
func (o *Options) namespace(name []byte) string {
	switch {
	case len(name) == 1 && name[0] == '/':
		return "/"
	case o.Intern != nil:
		return o.Intern(name)
	}
	return string(name)
}
