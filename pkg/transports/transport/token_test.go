package transport

import (
	"encoding/json"
	"testing"
)

func TestTokenIsNotAnnounced(t *testing.T) {
	announced, err := json.Marshal(Options{Port: 8000, Token: "secret"})
	if err != nil || string(announced) != `{"port":8000}` {
		t.Errorf("announced is %s, %v", announced, err)
	}
	var opts Options
	if err := json.Unmarshal([]byte(`{"port":8000,"token":"planted"}`), &opts); err != nil || opts.Token != "" {
		t.Errorf("another node's options have the token %q, %v", opts.Token, err)
	}
}
