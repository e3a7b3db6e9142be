package webrtc

import (
	"net"
	"strings"
	"testing"
)

func TestConfigMistakes(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for want, cfg := range map[string]Config{
		"MaxMessageSent is 100,":    {MaxMessageSent: 100},
		"MaxMessageSent is 65537,":  {MaxMessageSent: 65537},
		"SendBuffer is 1000,":       {SendBuffer: 1000},
		"SendBufferLow is 524288,":  {SendBufferLow: DefaultSendBuffer},
		"unknown Loopback 7":        {Loopback: 7},
		"both MuxAddr and MuxConn":  {MuxAddr: ":0", MuxConn: conn},
		`external IP "example.com"`: {ExternalIPs: []string{"example.com"}},
	} {
		transport := New(cfg)
		if err := transport.Bind(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Bind returned %v, want %q", err, want)
		}
		if _, err := transport.Negotiate(testContext(t), 0, &script{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Negotiate returned %v, want %q", err, want)
		}
		if err := transport.Close(); err != nil {
			t.Error(err)
		}
	}
	transport := closeAtEnd(t, New(Config{ICEServers: []ICEServer{{URLs: []string{"http://192.0.2.1"}}}}))
	if _, err := transport.Negotiate(testContext(t), 0, &script{}); err == nil || !strings.Contains(err.Error(), "create peer connection") {
		t.Errorf("Negotiate with a URL that is none returned %v", err)
	}
}

func TestName(t *testing.T) {
	if got := New(Config{}).Name(); got != "webrtc" {
		t.Errorf("Name is %q", got)
	}
}
