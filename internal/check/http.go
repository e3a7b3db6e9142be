package check

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 1 << 20

// newClient makes requests on connections of their own.
func newClient(secure *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: secure.Clone(), DisableKeepAlives: true},
		// Clients of the exchange follow none either.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// statusError is an answer other than 200.
type statusError struct {
	code     int
	location string // of a redirect
	said     string // what a seed says about it
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the answer is %d %s", e.code, http.StatusText(e.code))
	if e.location != "" {
		text += ", to " + e.location
	}
	if e.said != "" {
		text += ": " + e.said
	}
	return text
}

// errNotJSON is an answer that is no document of a seed.
var errNotJSON = errors.New("the answer is not the JSON of a seed")

// get asks the seed for a document.
func (c *Check) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.target.api(path), nil)
	if err != nil {
		return err
	}
	if c.config.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var refusal struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(body, &refusal) // most have none
		return &statusError{response.StatusCode, response.Header.Get("Location"), refusal.Error}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errNotJSON
	}
	return nil
}

// codeOf is the status of an answer, or 0 if err is something else.
func codeOf(err error) int {
	var status *statusError
	if errors.As(err, &status) {
		return status.code
	}
	return 0
}

// httpHint is for a request that was not answered as a seed does.
func (c *Check) httpHint(err error) string {
	switch code := codeOf(err); {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return c.tokenHint()
	case code >= 300 && code < 400:
		return "Something in front of the seed redirects, which clients do not follow: give the URL that it leads to, or let the proxy pass requests on."
	case code == http.StatusBadRequest && !c.target.secure:
		return "Does the port speak TLS? Then the URL is " + target{host: c.target.host, port: c.target.port, raw: c.target.raw, secure: true}.url()
	case code == http.StatusBadGateway || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout:
		return "A proxy answers, and reaches no seed: does the seed run, and does the proxy have its right address, port and protocol (--listen is TLS, --listen-plain is not)?"
	case code == http.StatusTooManyRequests:
		return "Too many requests came from this address: wait a minute."
	case code != 0 || errors.Is(err, errNotJSON):
		return "Somebody else answers at this port, such as a web server: is the URL the seed's? A proxy in front of it has to pass every path on."
	case isTimeout(err):
		return "The connection is taken and nobody answers: what is in front of the seed, and does the seed itself run?"
	}
	return "The connection broke off: the seed's log may say why (msg=refused), and so may the log of a proxy in front of it."
}

// tokenHint is for a seed that takes members only.
func (c *Check) tokenHint() string {
	if c.config.Token == "" {
		return "The seed takes members only: show a token with --token or --token-file."
	}
	return "The seed does not take this token: has it expired, and is it one for this network? The seed's log says why it was refused."
}
