package packet

// Decoder puts the text and binary messages of one connection together to
// packets. The zero value is ready. It holds no memory while no binary packet is
// being assembled. Not safe for concurrent use.
//
// After an error the connection is to be closed, and the Decoder not used again.
type Decoder struct {
	open *assembly // nil: text comes next
}

// assembly is a binary packet some of whose attachments have not come yet.
type assembly struct {
	packet Packet
	bytes  int // of the attachments so far
}

// Text takes a text message. done is true if it is a whole packet, whose Data
// aliases p. If it is false, attachments have to follow.
func (d *Decoder) Text(p []byte, o Options) (pkt Packet, done bool, err error) {
	if d.open != nil {
		return Packet{}, false, fail(ErrText, 0)
	}
	pkt, err = Decode(p, o)
	if err != nil || pkt.Count == 0 {
		return pkt, err == nil, err
	}
	if pkt.Data != nil {
		pkt.Data = append([]byte(nil), pkt.Data...)
	}
	d.open = &assembly{packet: pkt}
	return Packet{}, false, nil
}

// Binary takes a binary message and copies it. done is true if that completes
// the packet; it shares no memory with anything else then.
func (d *Decoder) Binary(p []byte, o Options) (pkt Packet, done bool, err error) {
	a := d.open
	if a == nil {
		return Packet{}, false, fail(ErrBinary, 0)
	}
	if a.bytes += len(p); a.bytes > o.withDefaults().MaxBytes {
		return Packet{}, false, fail(ErrTooLarge, 0)
	}
	a.packet.Attachments = append(a.packet.Attachments, append([]byte{}, p...))
	if len(a.packet.Attachments) < a.packet.Count {
		return Packet{}, false, nil
	}
	d.open = nil
	return a.packet, true, nil
}
