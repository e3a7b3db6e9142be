package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestMeshMessages(t *testing.T) {
	for _, m := range []*Mesh{
		{Op: MeshChallenge, Nonce: "0123456789abcdef0123456789abcdef"},
		{Op: MeshProof, Proofs: []string{"a", "b"}},
		{Op: MeshDenied},
		{Op: MeshIs, State: &MeshState{Name: "seed-0", Addresses: []string{"wss://seed.example:443"}, Relays: []string{"192.0.2.1:1-2"}, Peers: 3, Services: map[string]int{"v0/webrtc": 2}, Draining: true}},
		{Op: MeshGet, ID: "1", Want: &MeshWant{Transports: []string{"webrtc"}, Address: "192.0.2.7", Secure: true, Instance: "i", Alias: "a", Exclude: []string{"j"}, Excludes: true, Seen: []uint64{7}}},
		{Op: MeshGet, ID: "1", Want: &MeshWant{Generation: 1, Count: 16}},
		{Op: MeshHas, ID: "1", Found: &MeshFound{Candidate: 7, Transport: "webrtc", Opts: json.RawMessage("true"), Address: "192.0.2.9", Nonce: "n", Alias: "a"}},
		{Op: MeshHas, ID: "1", IDs: []string{"x", "y"}},
		{Op: MeshRelay, ID: "x"},
		{Op: MeshRelayed, ID: "x", Error: "gone"},
	} {
		line := AppendMesh(nil, m)
		if line[len(line)-1] != '\n' || strings.Count(string(line), "\n") != 1 {
			t.Errorf("%s is no line", line)
		}
		var v V0
		if err := DecodeV0(line[:len(line)-1], &v); err != nil || v.Command != V0Mesh {
			t.Fatalf("%s: %v, %v", line, v.Command, err)
		}
		got, err := DecodeMesh(v.Mesh)
		if err != nil {
			t.Fatal(err)
		}
		want := *m
		want.Command = "mesh"
		if !reflect.DeepEqual(got, &want) {
			t.Errorf("%s became %+v", line, got)
		}
	}
}

func TestMeshMessagesThatAreNone(t *testing.T) {
	for _, text := range []string{
		`{"command":"mesh","op":5}`,
		`{"command":"mesh","op":"state","state":[]}`,
		`{"command":"mesh","op":"get","id":"` + strings.Repeat("x", maxID+1) + `"}`,
		`{"command":"mesh","op":"proof","proofs":["` + strings.Repeat(`x","`, maxProofs) + `x"]}`,
		`{"command":"mesh","op":"found","ids":["` + strings.Repeat(`x","`, maxMeshIDs) + `x"]}`,
	} {
		if m, err := DecodeMesh([]byte(text)); !errors.Is(err, ErrInvalidMessage) {
			t.Errorf("%.60s became %+v, %v", text, m, err)
		}
	}
}

// Only what can be a nonce counts as one.
func TestMeshNonceInHello(t *testing.T) {
	const nonce = "0123456789abcdef0123456789abcdef"
	for text, want := range map[string]string{`"` + nonce + `"`: nonce, `"x"`: "", `5`: "", `"` + strings.ToUpper(nonce) + `"`: ""} {
		var v V0
		line := `{"command":"hello","id":"net","version":0,"ext":{"mesh":` + text + `}}`
		if err := DecodeV0([]byte(line), &v); err != nil || v.Hello.Ext.Mesh != want {
			t.Errorf("%s: %q, %v", text, v.Hello.Ext.Mesh, err)
		}
	}
	line := AppendHello(nil, &Hello{ID: "net", Ext: &Ext{Mesh: nonce}})
	var v V0
	if err := DecodeV0(line[:len(line)-1], &v); err != nil || v.Hello.Ext.Mesh != nonce {
		t.Errorf("%s: %v", line, err)
	}
}
