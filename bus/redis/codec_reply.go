package redis

import "github.com/seed-09a96375/belfry"

func encodeReply(r *belfry.Reply) []byte {
	e := newEncoder(kindReply, 64+len(r.Body))
	e.text(fieldOrigin, string(r.From))
	e.number(fieldRequest, uint64(r.Request))
	e.text(fieldError, r.Err)
	if r.Body != nil {
		e.bytes(fieldData, r.Body)
	}
	for _, a := range r.Attachments {
		e.bytes(fieldAttachment, a)
	}
	return e
}

func decodeReply(body []byte) (*belfry.Reply, error) {
	r := &belfry.Reply{}
	err := fields(body, kindReply, func(field uint64, v []byte) error {
		switch field {
		case fieldOrigin:
			r.From = belfry.NodeID(v)
		case fieldError:
			r.Err = string(v)
		case fieldData:
			r.Body = v[:len(v):len(v)]
		case fieldAttachment:
			r.Attachments = append(r.Attachments, v[:len(v):len(v)])
		case fieldRequest:
			n, err := uvarint(v)
			r.Request = belfry.RequestID(n)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
