// Package clients starts nodes for tests as applications have them: an exchange
// of this module in the test's own process, and the published npm clients,
// unmodified and of both generations, peer-exchange 0.4.1 ("v0") and 2.2.0
// ("v1"), in a Node process with WebRTC from @roamhq/wrtc, or bundled with
// browserify in a tab of headless Chromium.
//
// The npm packages are what `npm ci` in the folder node installs; Chromium and
// NSS's certutil come from the system.
//
// A [Lab] makes nodes of all kinds as a [Node], so that a test does not mind
// what a node is made of. All of them run the same small application (talk):
// they tell their name and echo bytes, so that a test knows who met whom and
// that every byte arrived. A [Scenario] is a test's steps on nodes.
//
// What the nodes connect to is not of this package: a node of the test, a seed
// on this machine, or one in a cluster. They trust the certificate authority
// that the lab is told, as an application does that is given its file.
//
// Nothing waits for time to pass: every step waits for an answer or an event,
// and fails with everything that the nodes reported when the test's context ends.
package clients
