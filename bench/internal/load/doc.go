// Package load is the benchmark's load generator: it drives a seed of the first wire generation (npm 0.4.x, "v0") over
// websockets, and is the same whatever seed it drives.
//
// It shares no code with the seed that it measures. Its clients are written down to the bytes and do as little as they
// can, so that one core of generator saturates one core of server.
//
// What a server sees of one client is what the published JavaScript client sends, except for two things that are the
// same for every server: no client offers permessage-deflate, and what a client has to say at one moment is one write to
// its socket. The websocket messages inside that write are the JavaScript client's: each multiplex frame is two of them,
// the frame's header and its payload.
package load
