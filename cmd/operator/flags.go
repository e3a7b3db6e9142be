package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/peerexchange/peerexchange/internal/operator"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// flags are the command line. Every one can be given in the environment too.
type flags struct {
	SeedImage      string            `name:"seed-image" required:"" placeholder:"IMAGE" help:"Image that seeds run, unless a PeerNetwork names another."`
	Namespace      string            `name:"namespace" required:"" placeholder:"NAME" help:"Namespace that the operator runs in: where its lease is, and whose pods with --pod-labels may reach the private port of seeds."`
	PodLabels      map[string]string `name:"pod-labels" default:"app.kubernetes.io/name=peerexchange-operator" placeholder:"KEY=VALUE" help:"Labels of the operator's own pods, for the NetworkPolicies of seeds. Default ${default}."`
	Namespaces     []string          `name:"watch-namespaces" placeholder:"NAME" help:"Namespaces whose PeerNetworks are seen to. Repeatable. Default: all."`
	ClusterDomain  string            `name:"cluster-domain" default:"cluster.local" placeholder:"NAME" help:"Domain of the cluster's DNS. Default ${default}."`
	LeaderElection bool              `name:"leader-election" help:"Run beside other operators of this cluster: one of them works at a time."`
	Concurrency    int               `name:"concurrency" default:"8" placeholder:"N" help:"PeerNetworks that are worked on at a time. Default ${default}."`
	Metrics        string            `name:"metrics-listen" default:":8080" placeholder:"ADDR" help:"Metrics, for Prometheus. off turns it off. Default ${default}."`
	Health         string            `name:"health-listen" default:":8081" placeholder:"ADDR" help:"/healthz and /readyz. off turns it off. Default ${default}."`
	LogLevel       slog.Level        `name:"log-level" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error. Logs go to standard error as JSON. Default ${default}."`
}

const description = `The operator makes a bootstrap cluster of every PeerNetwork resource: seeds, addresses,
certificates and secrets. It reaches the API server as pods do, or as
KUBECONFIG says.`

// parse reads the command line and the environment. It returns nil if help was asked
// for, which it prints.
func parse(args []string, stdout io.Writer) (*flags, error) {
	var f flags
	exited := false
	parser, err := kong.New(&f,
		kong.Name("operator"),
		kong.Description(description),
		kong.DefaultEnvars("OPERATOR"),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { exited = true }),
	)
	if err != nil {
		return nil, fmt.Errorf("define the flags: %w", err)
	}
	_, err = parser.Parse(args)
	if exited {
		return nil, nil
	}
	return &f, err
}

// config is what the flags mean to the operator.
func (f *flags) config(stderr io.Writer) operator.Config {
	return operator.Config{
		Settings: resources.Settings{
			Image: f.SeedImage, ClusterDomain: f.ClusterDomain, Namespace: f.Namespace, PodLabels: f.PodLabels,
		},
		Namespaces:     f.Namespaces,
		MetricsListen:  unlessOff(f.Metrics),
		HealthListen:   unlessOff(f.Health),
		LeaderElection: f.LeaderElection,
		Concurrency:    f.Concurrency,
		Seeds:          probe.Prober{},
		Logger:         slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: f.LogLevel})),
	}
}

func unlessOff(address string) string {
	if address == "off" {
		return ""
	}
	return address
}
