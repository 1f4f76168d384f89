// A copy of core's frame.proto, as text, so that the raw peer needs no file at run time, even in a
// browser. A test compares it with the original.

export const FRAME_PROTO = `// What crosses a connection: after the preamble "TRKL" (54 52 4B 4C), which each side sends once, come frames. A frame is its
// length, a varint of at most 4 bytes (over-long forms are legal), then one Frame message of that many bytes.
//
// Rules that this file cannot say:
// - Fields may come in any order; of one that comes twice the last value counts; unknown fields are skipped.
// - Absent is 0 or empty. Groups, wrong wire types and integers of 2^32 and above break the protocol.
// - Bytes that are no UTF-8 in a Frame's strings are read as U+FFFD; a Hello that has such is refused.

syntax = "proto3";

package trunkline;

// One message for every kind of frame, flat: a oneof would nest, and nesting costs a second length.
message Frame {
  // What the frame is, never 0: 1 HELLO, 2 READY, 3 GO_AWAY, 4 PING, 5 PONG, 6 CREDIT, 7 PROTOCOLS, 8 REQUEST, 9 ONEWAY,
  // 10 RESPONSE, 11 ITEM, 12 PART, 13 END, 14 ERROR, 15 CANCEL. 16 to 31 are reserved; 32 and above are skipped by who does not know them.
  uint32 kind = 1;

  // The call: odd from the dialer, even from the acceptor. In PING and PONG a nonce, in CREDIT the call of account 5.
  fixed32 id = 2;

  // The protocol's channel, 0 to 255.
  uint32 channel = 3;

  // The protocol's method, never 0.
  uint32 method = 4;

  // REQUEST: 1 upload (the caller streams), 2 download (the callee streams). ERROR: 1 unprocessed (no handler saw the call).
  uint32 flags = 5;

  // REQUEST: milliseconds left when the frame was encoded, rounded up; 0 is no deadline.
  uint32 timeout = 6;

  // In the first packet of a message of several packets: the length of all its payloads together.
  uint32 size = 7;

  // CREDIT: how much the account gets back.
  uint32 credit = 8;

  // ERROR and GO_AWAY: gRPC's status code, 1 to 16. Unknown ones read as 2 (unknown).
  uint32 code = 9;

  // ERROR and GO_AWAY: what went wrong, for people; at most 1 KiB.
  string text = 10;

  // REQUEST, ONEWAY and ERROR: beside the payload; at most 8 KiB of keys and values, 15 KiB as encoded here.
  map<string, string> metadata = 11;

  // ERROR and GO_AWAY: which cause of the code it was; 0 is none.
  uint32 reason = 12;

  // HELLO and PROTOCOLS (there with its protocols alone): the bytes of a Hello message.
  bytes hello = 13;

  // CREDIT: 1 pipe, 2 short, 3 long, 4 reply, 5 stream.
  uint32 account = 14;

  // The message, or the packet of one.
  bytes payload = 15;
}

// Who speaks, and what it can do. At most 16 KiB as encoded.
message Hello {
  // The lowest version of these wire rules that the sender speaks. The acceptor gives the highest that both speak, here and in wire_max.
  uint32 wire_min = 1;

  // The highest one.
  uint32 wire_max = 2;

  // 16 random bytes: the sender's transport, the same on all its connections, new after a restart.
  bytes instance = 3;

  // The network that the sender belongs to; peers of another are refused.
  string network = 4;

  // Where the sender says it can be dialed; empty where it cannot.
  string addr = 5;

  // The software and its version, for people.
  string agent = 6;

  // The node id that the sender claims, 64 hex digits in lower case; refused if it is not the id that the layer proved.
  string node_id = 7;

  // What the sender has mounted; at most 64.
  repeated Protocol protocols = 8;

  // What the sender is ready to receive.
  Limits limits = 9;

  // What both must name before it may change the meaning of anything; at most 64.
  repeated string features = 10;

  // The receiver's address as the sender sees it.
  string observed = 11;

  // The application's own: a token, a tenant. At most 8 KiB of keys and values.
  map<string, string> fields = 12;

  // Proofs bound to the layer's channel: TLS exporter, noise hash, DTLS fingerprints.
  reserved 16 to 31;
}

// A protocol that is mounted.
message Protocol {
  // Its name, never empty.
  string name = 1;

  // The version that the sender prefers.
  uint32 version = 2;

  // Older (or newer) ones that it understands too; at most 64. The version in use is the highest that both have.
  repeated uint32 accepts = 3;

  // Its byte on the wire, 0 to 255.
  uint32 channel = 4;
}

// What the sender of a hello is ready to receive. Sizes are bytes.
message Limits {
  // The longest message: request, response or one-way.
  uint32 message = 1;

  // The longest streamed item.
  uint32 item = 2;

  // The longest payload of one frame: 4 KiB to 1 MiB, anything else is refused. Both ends use the smaller of theirs.
  uint32 packet = 3;

  // What each account starts with: a connection's packets of long messages and items.
  uint32 pipe = 4;

  // A channel's short one-ways.
  uint32 short = 5;

  // A channel's long requests and one-ways.
  uint32 long = 6;

  // A connection's long responses.
  uint32 reply = 7;

  // The items of one direction of one call.
  uint32 stream = 8;

  // Calls without an answer at a time, on one channel.
  uint32 calls = 9;

  // Streaming calls at a time, on the connection.
  uint32 streams = 10;
}
`;
