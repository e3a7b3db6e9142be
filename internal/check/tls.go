package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// soonExpired is how long a certificate should be good for yet: whoever renews it
// has done so by then.
const soonExpired = 14 * 24 * time.Hour

// tls shakes hands, and looks at the certificate itself, so that what is wrong
// with it can be told.
func (c *Check) tls(ctx context.Context) Step {
	if !c.target.secure {
		return moot("the URL says %s: no TLS", strings.SplitAfter(c.target.url(), "//")[0])
	}
	state, err := c.handshake(ctx)
	if err != nil {
		return failed(c.handshakeHint(ctx, err), "%s", c.why(err))
	}
	chain, now := state.PeerCertificates, time.Now()
	found := fmt.Sprintf("%s, %s", tls.VersionName(state.Version), describe(chain[0], now))
	problem := verify(chain, c.target.host, c.secure.RootCAs, now)
	switch left := chain[0].NotAfter.Sub(now); {
	case problem != nil && c.config.Insecure:
		return warning(c.certificateHint(problem, chain), "%s; not to be trusted, and used all the same: %s", found, untrusted(problem))
	case problem != nil:
		return failed(c.certificateHint(problem, chain)+" --insecure tries the rest all the same.", "%s (%s)", untrusted(problem), found)
	case left < soonExpired:
		return warning("Renew it now, or look why it was not: the seed takes a new one over within seconds after its files have changed, without a restart. "+
			"Its own self-signed one is made anew at a start.", "%s", found)
	}
	return ok("%s", found)
}

// handshake connects without asking whether the certificate is good.
func (c *Check) handshake(ctx context.Context) (tls.ConnectionState, error) {
	config := c.secure.Clone()
	config.InsecureSkipVerify = true
	config.ServerName = c.target.host
	dialer := tls.Dialer{Config: config}
	conn, err := dialer.DialContext(ctx, "tcp", c.target.addr())
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState(), nil
}

// verify tells what is wrong with a chain of certificates.
func verify(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) error {
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now}); err != nil {
		return err
	}
	return chain[0].VerifyHostname(host)
}

// untrusted is what is wrong with a certificate.
func untrusted(problem error) string { return strings.TrimPrefix(reason(problem), "x509: ") }

// describe is a certificate in a few words.
func describe(leaf *x509.Certificate, now time.Time) string {
	issuer := "from " + name(leaf.Issuer.CommonName, leaf.Issuer.Organization)
	if isSelfSigned(leaf) {
		issuer = "self-signed"
	}
	days := int(leaf.NotAfter.Sub(now) / (24 * time.Hour))
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	if leaf.NotAfter.Before(now) {
		return fmt.Sprintf("certificate %s, expired on %s", issuer, until)
	}
	return fmt.Sprintf("certificate %s, good until %s (%d days)", issuer, until, days)
}

// name is what a certificate calls somebody.
func name(common string, organization []string) string {
	if common == "" {
		common = strings.Join(organization, " ")
	}
	if common == "" {
		return "an issuer without a name"
	}
	return printable(common)
}

func isSelfSigned(certificate *x509.Certificate) bool {
	return string(certificate.RawIssuer) == string(certificate.RawSubject) &&
		certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) == nil
}

// handshakeHint is for a handshake that came to nothing, whatever the certificate.
func (c *Check) handshakeHint(ctx context.Context, err error) string {
	plain := target{host: c.target.host, port: c.target.port, raw: c.target.raw}
	switch {
	case c.speaksHTTP(ctx, plain):
		return "The port speaks HTTP without TLS, as --listen-plain does: then the URL is " + plain.url() +
			". Browsers' pages over https need a port with TLS, the seed's --listen or a proxy's."
	case errors.As(err, new(tls.RecordHeaderError)):
		return "What answers speaks no TLS: is this the seed's port?"
	case isTimeout(err):
		return "The connection is taken, and nobody shakes hands: a proxy or load balancer whose seed does not answer, or one that waits for a PROXY header."
	case errors.As(err, new(*net.OpError)), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "Whoever answers hangs up: a proxy without a seed behind it, one that knows no site of that name, or a seed that takes PROXY headers from this address (--trusted-proxies). The seed's log says why."
	}
	return "The seed's log says why, at most once a second: msg=refused reason=tls."
}

// speaksHTTP tells whether somebody answers HTTP there.
func (c *Check) speaksHTTP(ctx context.Context, t target) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, t.api("/"), nil)
	if err != nil {
		return false
	}
	response, err := c.client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}

// certificateHint is for a certificate that is not to be trusted.
func (c *Check) certificateHint(problem error, chain []*x509.Certificate) string {
	leaf := chain[0]
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(problem, &host):
		return fmt.Sprintf("The certificate is for %s. Connect by one of these, or get one that names %s (for the seed's own: delete tls.pem in its state directory, and start it with --external-ip if it is to name an address).",
			names(leaf), c.target.host)
	case errors.As(problem, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(leaf.NotBefore):
		return fmt.Sprintf("It is good from %s on: is the clock of this machine right?", leaf.NotBefore.UTC().Format(time.DateTime))
	case errors.As(problem, &invalid) && invalid.Reason == x509.Expired:
		return "Renew it; the seed takes it over within seconds after its files have changed. If it was renewed: do --tls-cert and --tls-key name the new files, can the seed read them, and what does its log say? Is the clock of this machine right?"
	case errors.As(problem, &unknown) && isSelfSigned(leaf):
		return "It is self-signed, such as the one that a seed makes for itself. Clients have to be told to trust it: copy tls.crt from the seed's state directory here and say --ca tls.crt. Browsers need one of an authority that they know."
	case errors.As(problem, &unknown) && len(chain) == 1:
		return "The seed shows one certificate, and not that of its issuer: --tls-cert has to be the whole chain, as in fullchain.pem. If the issuer is your own authority: --ca FILE with its certificate."
	case errors.As(problem, &unknown):
		return "The authority that has signed it is none that this machine knows. If it is your own: --ca FILE with its certificate, and clients need it too."
	}
	return "Get a certificate that clients can trust: see TLS in docs/seed.md."
}

// maxNames is how many names of a certificate are shown.
const maxNames = 6

// names are what a certificate is for.
func names(leaf *x509.Certificate) string {
	var all []string
	for _, name := range leaf.DNSNames {
		all = append(all, printable(name))
	}
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	switch {
	case len(all) == 0:
		return "no name at all"
	case len(all) > maxNames:
		return strings.Join(all[:maxNames], ", ") + fmt.Sprintf(" and %d more", len(all)-maxNames)
	}
	return strings.Join(all, ", ")
}
