// Package plain is the front for clients without a protocol of their own: JSON over
// WebSocket, and Server-Sent Events. They meet the clients of other fronts in the
// rooms of one namespace.
//
// WebSocket: each text message is one JSON object. A request has an id, if it wants
// an answer, and one member that says what it is about:
//
//	connect   {token, rooms, offset}          who it is; what it goes on with
//	join      {room | rooms, offset, meta}    become a member
//	leave     {room}
//	publish   {room, event, args, id, others} send to a room
//	event     {name, args, id}                call the application
//	presence  {room}                          who is there
//	history   {room, before, after, oldest, limit}
//	refresh   {token}                         go on with another token
//	ack       {id, args}                      answer a message that has an ack
//	ping      {}
//
//	to the client                                 meaning
//	{"id":…,"ok":{…}}                             it was done
//	{"id":…,"error":{"code","message"}}           it was not
//	{"room","event","args","offset","ack"}        a message
//	{"gap":{"rooms":[…]}}                         messages were lost
//	{"joined":{"rooms":[…]}}, {"left":{…}}        by the server
//	{"offset":…}                                  all up to here has been sent
//
// Event stream: GET ?room=…&room=…; a message has its offset as id, its event as
// event, and the same JSON as data.
//
// Resuming: messages come in the order of the log, so the offset of the last thing
// that a client got says what it has. Whoever joins with an offset is a member
// first, with deliveries held back; then the log is read after the offset; then both
// are written, each message once.
//
//	request ─► inbox ─► worker ─► hub ─► bus
//	bus ─► hub ─► Deliver ─► hold, while a resume is under way ─► frame, shared by all
//
// Sources: RFC 6455, RFC 8259; WHATWG HTML, section 9.2 (Server-sent events).
// docs/plain.md has the shapes with examples.
package plain
