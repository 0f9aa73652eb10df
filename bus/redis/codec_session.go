package redis

import "github.com/seed-09a96375/belfry"

// encodeSession leaves out id and namespace: they are in the key, hashed.
func encodeSession(s *belfry.Session) []byte {
	e := newEncoder(kindSession, 64+len(s.Data)+32*len(s.Rooms))
	e.text(fieldSocket, string(s.Socket))
	e.text(fieldSince, string(s.Since))
	for _, m := range s.Rooms {
		e.string(fieldMemberRoom, string(m.Room))
		e.text(fieldMemberSince, string(m.Since))
	}
	if s.Data != nil {
		e.bytes(fieldData, s.Data)
	}
	return e
}

func decodeSession(body []byte) (*belfry.Session, error) {
	s := &belfry.Session{}
	err := fields(body, kindSession, func(field uint64, v []byte) error {
		switch field {
		case fieldSocket:
			s.Socket = belfry.SocketID(v)
		case fieldSince:
			s.Since = belfry.Offset(v)
		case fieldData:
			s.Data = append([]byte{}, v...)
		case fieldMemberRoom:
			s.Rooms = append(s.Rooms, belfry.Membership{Room: belfry.Room(v)})
		case fieldMemberSince:
			if len(s.Rooms) == 0 {
				return errBody
			}
			s.Rooms[len(s.Rooms)-1].Since = belfry.Offset(v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
