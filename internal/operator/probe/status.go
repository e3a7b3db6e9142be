package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// maxStatusBytes bounds what a seed may say of itself.
const maxStatusBytes = 1 << 20

// Report is what a seed says of itself.
type Report struct {
	Peers    int32
	Draining bool
}

// client does not keep connections: a seed is asked twice a minute.
var client = &http.Client{
	Transport: &http.Transport{DisableKeepAlives: true},
	Timeout:   10 * time.Second,
	// Nothing of a seed leads elsewhere.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Status asks the private port of a seed's pod.
func (Prober) Status(ctx context.Context, pod *corev1.Pod) (Report, error) {
	if pod.Status.PodIP == "" {
		return Report{}, fmt.Errorf("the pod %s has no address yet", pod.Name)
	}
	return status(ctx, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(resources.AdminPort)))
}

func status(ctx context.Context, address string) (Report, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/status", nil)
	if err != nil {
		return Report{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Report{}, fmt.Errorf("ask the seed: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Report{}, fmt.Errorf("ask the seed: it answers %s", response.Status)
	}
	var said struct {
		Draining bool `json:"draining"`
		Peers    struct {
			Total int32 `json:"total"`
		} `json:"peers"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxStatusBytes)).Decode(&said); err != nil {
		return Report{}, fmt.Errorf("ask the seed: its status makes no sense: %w", err)
	}
	return Report{Peers: max(said.Peers.Total, 0), Draining: said.Draining}, nil
}
