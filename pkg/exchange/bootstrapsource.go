package exchange

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

const (
	// bootstrapPath is where seeds serve the document.
	bootstrapPath = "/.well-known/peer-exchange"
	// bootstrapTime bounds one attempt to fetch it.
	bootstrapTime = 15 * time.Second
	// maxBootstrapRedirects is how many redirects are followed.
	maxBootstrapRedirects = 5
)

// BootstrapSource is where a network's bootstrap document is fetched, again and
// again: it remembers which one it has seen. Its fields are not to be changed after
// the first Fetch.
type BootstrapSource struct {
	// URL has the document. Without a path it is /.well-known/peer-exchange, where
	// seeds have it.
	URL string
	// Key verifies the document, which may then come from anywhere. Nil takes an
	// unsigned one, over https only, or over http from this machine.
	Key ed25519.PublicKey
	// Network is the network ID that the document has to have. Empty takes any.
	Network string
	// MinSequence refuses older documents from the start: the Sequence of the newest
	// one that an earlier run of the program has seen.
	MinSequence uint64
	// Client fetches it. Nil is http.DefaultClient or, in a Maintainer of a node with
	// [Config].TLS, a client that trusts whom the node does. Its CheckRedirect is not asked.
	Client *http.Client

	mu sync.Mutex
	// Guarded by mu.
	newest uint64
}

// FetchBootstrap fetches a bootstrap document and verifies it with key; see
// [BootstrapSource], which also refuses older documents than it has seen. The caller
// sees to it that Network is the right one.
func FetchBootstrap(ctx context.Context, url string, key ed25519.PublicKey) (*Bootstrap, error) {
	return (&BootstrapSource{URL: url, Key: key}).Fetch(ctx)
}

// Fetch fetches the document, within 15 seconds. Errors are ErrBootstrapSignature,
// ErrNetworkMismatch, ErrBootstrapOutdated, or say why there is no document.
func (s *BootstrapSource) Fetch(ctx context.Context) (*Bootstrap, error) {
	return s.fetchOf(ctx, s.Network, nil)
}

// fetchOf is Fetch for a network, any if it is empty. Nil trusts the system's roots.
func (s *BootstrapSource) fetchOf(ctx context.Context, network string, trust *tls.Config) (*Bootstrap, error) {
	u, err := s.parseURL()
	if err != nil {
		return nil, fmt.Errorf("fetch the bootstrap document: %w", err)
	}
	b, err := s.fetch(ctx, u, network, trust)
	if err != nil {
		// The host is all that is shown: the rest of a URL may hold a secret.
		return nil, fmt.Errorf("fetch the bootstrap document from %s: %w", u.Host, err)
	}
	return b, nil
}

func (s *BootstrapSource) parseURL() (*url.URL, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("the URL is none; want https:// and a host")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = bootstrapPath
	}
	return u, s.allow(u)
}

// allow tells whether a document may come from a URL.
func (s *BootstrapSource) allow(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s is no scheme for it; want https", u.Scheme)
	case u.Scheme == "http" && s.Key == nil && !isLoopback(u.Hostname()):
		return fmt.Errorf("%s: over http anybody on the way can change it; want https, or a key to verify it with", u.Host)
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || host == "localhost"
}

func (s *BootstrapSource) fetch(ctx context.Context, u *url.URL, network string, trust *tls.Config) (*Bootstrap, error) {
	ctx, cancel := context.WithTimeout(ctx, bootstrapTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.client(trust).Do(req)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	document, err := io.ReadAll(io.LimitReader(res.Body, maxBootstrapBytes+1))
	if err != nil {
		return nil, err
	}
	b, err := ParseBootstrap(document, s.Key)
	if err != nil {
		return nil, err
	}
	if err := s.take(b, network); err != nil {
		return nil, err
	}
	return b, nil
}

func (s *BootstrapSource) client(trust *tls.Config) *http.Client {
	client := *http.DefaultClient
	switch {
	case s.Client != nil:
		client = *s.Client
	case trust != nil:
		// One request is all it is for, so nothing is kept.
		client.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true, DisableKeepAlives: true,
		}
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxBootstrapRedirects {
			return fmt.Errorf("more than %d redirects", maxBootstrapRedirects)
		}
		return s.allow(req.URL)
	}
	return &client
}

// take notes that a document was seen, unless it is none to take.
func (s *BootstrapSource) take(b *Bootstrap, network string) error {
	if network != "" && b.Network != network {
		return fmt.Errorf("%w: it is of %.64q, not %q", ErrNetworkMismatch, b.Network, network)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = max(s.newest, s.MinSequence)
	if b.Sequence < s.newest {
		return fmt.Errorf("%w: its sequence is %d, after %d", ErrBootstrapOutdated, b.Sequence, s.newest)
	}
	s.newest = b.Sequence
	return nil
}
