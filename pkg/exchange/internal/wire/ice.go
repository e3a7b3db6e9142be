package wire

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of an ice message. What exceeds one is left out.
const (
	maxICEServers    = 8                // Entries of servers.
	maxICEURLs       = 8                // URLs of a server.
	maxICEURL        = 512              // Bytes of a URL: a host name has 253.
	maxICECredential = 512              // Bytes of a username or credential.
	maxICETTL        = 7 * 24 * 60 * 60 // Seconds. A longer time counts as this.
)

// ICEServer is a STUN or TURN server.
type ICEServer struct {
	URLs       []string // Not empty; those that [ValidICEURL] takes.
	Username   string   // Empty if there is none.
	Credential string
}

// ValidICEURL tells whether a text may be the URL of an ICE server: a scheme out
// of four, and nothing in it but what a URL can have. What follows the scheme is
// for whoever resolves it to make sense of.
func ValidICEURL(url string) bool {
	scheme, rest, _ := strings.Cut(url, ":")
	return slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) && rest != "" && len(url) <= maxICEURL &&
		!strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' })
}

// AppendICE appends a list of ICE servers with the time in seconds that it is
// good for, an extension. Servers and URLs that a node would leave out are left out.
func AppendICE(dst []byte, servers []ICEServer, ttl int) []byte {
	dst = append(dst, `{"command":"ice","servers":[`...)
	first := true
	for _, s := range servers[:min(len(servers), maxICEServers)] {
		urls := slices.DeleteFunc(slices.Clone(s.URLs), func(url string) bool { return !ValidICEURL(url) })
		if len(urls) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, `{"urls":`...)
		dst = appendStrings(dst, urls[:min(len(urls), maxICEURLs)])
		if s.Username != "" {
			dst = append(dst, `,"username":`...)
			dst = appendQuoted(dst, s.Username)
		}
		if s.Credential != "" {
			dst = append(dst, `,"credential":`...)
			dst = appendQuoted(dst, s.Credential)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `],"ttl":`...)
	dst = strconv.AppendInt(dst, int64(ttl), 10)
	return append(dst, "}\n"...)
}

func decodeICE(f *fieldsV0) (servers []ICEServer, ttl int, ok bool) {
	n, ok := integer(f[fieldTTL])
	if !ok || n < 1 || !isArray(f[fieldServers]) {
		return nil, 0, false
	}
	m := membersOf(f[fieldServers])
	for len(servers) < maxICEServers {
		value, ok := m.element()
		if !ok {
			break
		}
		if s := decodeICEServer(value); len(s.URLs) > 0 {
			servers = append(servers, s)
		}
	}
	return servers, int(min(n, maxICETTL)), true
}

// decodeICEServer returns a server without URLs for what is none. As in a
// browser's configuration, urls may be one.
func decodeICEServer(raw []byte) (s ICEServer) {
	if !isObject(raw) {
		return s
	}
	m := membersOf(raw)
	for {
		name, value, ok := m.field()
		if !ok {
			return s
		}
		switch string(key(name)) {
		case "urls":
			s.URLs = decodeICEURLs(value)
		case "username":
			s.Username, _ = text(value, maxICECredential)
		case "credential":
			s.Credential, _ = text(value, maxICECredential)
		}
	}
}

func decodeICEURLs(raw []byte) (urls []string) {
	if url, ok := text(raw, maxICEURL); ok && ValidICEURL(url) {
		return []string{url}
	}
	if !isArray(raw) {
		return nil
	}
	m := membersOf(raw)
	for len(urls) < maxICEURLs {
		value, ok := m.element()
		if !ok {
			break
		}
		if url, ok := text(value, maxICEURL); ok && ValidICEURL(url) {
			urls = append(urls, url)
		}
	}
	return urls
}
