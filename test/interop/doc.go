// Package interop holds the tests that put this module beside the published
// npm clients, unmodified and of both generations: peer-exchange 0.4.1 ("v0")
// and 2.2.0 ("v1"), in Node with WebRTC from @roamhq/wrtc, and bundled with
// browserify in headless Chromium.
//
// The tests have the build tag interop, since they need Node, the packages that
// `npm ci` in the folder node installs, and Chromium:
//
//	cd test/interop/node && npm ci && cd - && go test -tags interop ./test/interop/...
//
// A node of a test is a [participant], whatever it is made of: an exchange in
// the test's own process, a Node process that runs node/driver.js, or a tab
// that runs node/page.js. All of them run the same small application (talk):
// they tell their name and echo bytes, so that a test knows who met whom and
// that every byte arrived. The scenarios are tables of who plays which role.
//
// Nothing waits for time to pass: every step waits for an answer or an event,
// and fails with everything that the nodes reported when the test's context ends.
package interop
