package clients

// Link is how two nodes connect before anybody introduces them.
type Link struct {
	Transport string
	Secure    bool
}

// The links there are.
var (
	TCP = Link{"tcp", false}
	TLS = Link{"tcp", true}
	WS  = Link{"websocket", false}
	WSS = Link{"websocket", true}
)

func (l Link) String() string {
	return map[Link]string{TCP: "tcp", TLS: "tls", WS: "ws", WSS: "wss"}[l]
}
