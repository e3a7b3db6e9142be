package clients

import (
	"slices"
	"testing"
)

// Maker starts a node for a test.
type Maker struct {
	Label string
	Start func(t *testing.T, gen Generation, name string) Node
}

const (
	labelGo   = "go"
	labelNode = "js"
	labelTab  = "tab"
)

// InGo makes exchanges of this module.
func (l *Lab) InGo() Maker {
	return Maker{labelGo, func(t *testing.T, gen Generation, name string) Node {
		t.Helper()
		return l.StartGo(t, gen, name)
	}}
}

// InNode makes npm clients in Node.
func (l *Lab) InNode() Maker {
	return Maker{labelNode, func(t *testing.T, gen Generation, name string) Node {
		t.Helper()
		return l.StartProcess(t, gen, name, nil)
	}}
}

// InTab makes npm clients in pages, which can dial websockets only and accept
// webrtc only.
func (l *Lab) InTab() Maker {
	return Maker{labelTab, func(t *testing.T, gen Generation, name string) Node {
		t.Helper()
		return l.StartTab(t, gen, name, nil)
	}}
}

// AnyGo tells whether a combination has something of this module in it.
func AnyGo(roles ...Maker) bool {
	return slices.ContainsFunc(roles, func(m Maker) bool { return m.Label == labelGo })
}
