// A copy of core's frame.proto, as text, so that the raw peer needs no file at run time, even in a
// browser. A test compares it with the original.

export const FRAME_PROTO = `// The bytes of a connection. Each side sends the preamble "TRKL" (54 52 4B 4C) once, followed by
// frames. A frame consists of its length, a varint of at most 4 bytes (over-long forms are legal),
// and one Frame message of that many bytes.
//
// Rules that this file cannot express:
// - Fields may be in any order. If a field occurs twice, the last value counts. Unknown fields are
//   skipped.
// - An absent field is 0 or empty. Groups, wrong wire types, and integers of 2^32 and above violate
//   the protocol.
// - Bytes that are not UTF-8 in the strings of a Frame are read as U+FFFD. A Hello that contains
//   such bytes is refused.

syntax = "proto3";

package trunkline;

// One flat message for every kind of frame: a oneof would nest messages, and each nested message
// costs a second length.
message Frame {
  // The kind of the frame, never 0: 1 HELLO, 2 READY, 3 GO_AWAY, 4 PING, 5 PONG, 6 CREDIT,
  // 7 PROTOCOLS, 8 REQUEST, 9 ONEWAY, 10 RESPONSE, 11 ITEM, 12 PART, 13 END, 14 ERROR, 15 CANCEL.
  // Kinds 16 to 31 are reserved. A receiver skips kinds from 32 on that it does not know.
  uint32 kind = 1;

  // The id of the call: odd if the dialer opened it, even if the acceptor did. In PING and PONG a
  // nonce; in CREDIT the call of account 3.
  fixed32 id = 2;

  // The channel of the protocol, 0 to 255.
  uint32 channel = 3;

  // The number of the method, never 0.
  uint32 method = 4;

  // REQUEST: 1 upload (the caller streams), 2 download (the callee streams).
  // ERROR: 1 unprocessed (no handler saw the call).
  uint32 flags = 5;

  // REQUEST: milliseconds left until the deadline when the frame was encoded, rounded up; 0 means
  // no deadline.
  uint32 timeout = 6;

  // In the first packet of a message of several packets: the total length of its payloads.
  // In CREDIT of account 2: the number of one-ways that are done.
  uint32 size = 7;

  // CREDIT: the bytes that are given back to the account.
  uint32 credit = 8;

  // ERROR and GO_AWAY: a gRPC status code, 1 to 16. Unknown codes are read as 2 (unknown).
  uint32 code = 9;

  // ERROR and GO_AWAY: a description of the error for people; at most 1 KiB.
  string text = 10;

  // REQUEST, ONEWAY and ERROR: metadata in addition to the payload; at most 8 KiB of keys and
  // values, and 15 KiB as encoded here.
  map<string, string> metadata = 11;

  // ERROR and GO_AWAY: the reason, a more exact cause than the code; 0 means none.
  uint32 reason = 12;

  // HELLO and PROTOCOLS: the bytes of a Hello message. In PROTOCOLS it has only its
  // protocols, and its addr if the sender can be dialed.
  bytes hello = 13;

  // CREDIT: 1 pipe, 2 inbox, 3 stream.
  uint32 account = 14;

  // The message, or one packet of it.
  bytes payload = 15;
}

// Describes the sender and its capabilities. At most 16 KiB as encoded.
message Hello {
  // The lowest version of these wire rules that the sender speaks. The acceptor names the highest
  // version that both speak, here and in wire_max.
  uint32 wire_min = 1;

  // The highest version of these wire rules that the sender speaks.
  uint32 wire_max = 2;

  // 16 random bytes that identify the transport of the sender: the same on all its connections, new
  // after a restart.
  bytes instance = 3;

  // The network that the sender belongs to; peers of another network are refused.
  string network = 4;

  // The address at which the sender can be dialed, as it says; empty if it cannot be dialed.
  string addr = 5;

  // The name and version of the software, for people.
  string agent = 6;

  // The node id that the sender claims, 64 hex digits in lower case. The hello is refused if the
  // layer proved another id.
  string node_id = 7;

  // The protocols that the sender has mounted; at most 64.
  repeated Protocol protocols = 8;

  // The limits of what the sender receives.
  Limits limits = 9;

  // Optional features; one takes effect only if both ends name it. At most 64.
  repeated string features = 10;

  // The address of the receiver as the sender sees it.
  string observed = 11;

  // Fields of the application, such as a token or a tenant. At most 8 KiB of keys and values.
  map<string, string> fields = 12;

  // Reserved for proofs that are bound to the secure channel of the layer: TLS exporter, noise
  // hash, DTLS fingerprints.
  reserved 16 to 31;
}

// A mounted protocol.
message Protocol {
  // Its name, never empty.
  string name = 1;

  // The version that the sender prefers.
  uint32 version = 2;

  // Other versions that the sender also understands; at most 64. Both ends use the highest version
  // that they have in common.
  repeated uint32 accepts = 3;

  // Its channel, the byte that stands for it on the wire, 0 to 255.
  uint32 channel = 4;
}

// The limits of what the sender of a hello receives. Sizes are in bytes.
message Limits {
  // The longest message: request, response or one-way.
  uint32 message = 1;

  // The longest streamed item.
  uint32 item = 2;

  // The longest payload of one frame, 4 KiB to 1 MiB; other values are refused. Both ends use the
  // smaller of their two limits.
  uint32 packet = 3;

  // The initial credit of the pipe: the packets of long messages and items on a connection.
  uint32 pipe = 4;

  // The initial credit for one-ways and long requests, for each channel.
  uint32 inbox = 5;

  // The initial credit for the items of one direction of one call.
  uint32 stream = 6;

  // The number of unanswered calls at a time on one channel.
  uint32 calls = 7;

  // The number of streaming calls at a time on the connection.
  uint32 streams = 8;
}
`;
