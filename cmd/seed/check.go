package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/peerexchange/peerexchange/internal/check"
)

// checkCommand is the first argument that makes the program try another seed
// rather than be one.
const checkCommand = "check"

// checkFlags are the command line of seed check.
type checkFlags struct {
	URL string `arg:"" name:"url" help:"The seed: wss://HOST[:PORT], ws://, tls://HOST:PORT, tcp://, https://, or only HOST[:PORT], which is taken for wss://."`

	NetworkID string        `name:"network-id" placeholder:"ID" help:"The network. Default: what the seed says."`
	Token     string        `name:"token" placeholder:"TOKEN" xor:"token" help:"Shows that this is a member, where the seed takes members only. Other users of the machine see it; the environment and --token-file are safer."`
	TokenFile string        `name:"token-file" placeholder:"FILE" xor:"token" help:"File with the token on its first line."`
	CA        string        `name:"ca" placeholder:"FILE" help:"Certificates to trust beside the system's, PEM, such as tls.crt of the seed's state directory."`
	Insecure  bool          `name:"insecure" help:"Go on with a certificate that is not to be trusted."`
	Timeout   time.Duration `name:"timeout" default:"${timeout}" placeholder:"TIME" help:"How long each step may take. Default ${default}."`
	Skip      []string      `name:"skip" placeholder:"STEP" help:"Leave out a step, or all that begin with a word, such as turn, and what needs them. Repeatable."`
	JSON      bool          `name:"json" help:"Print JSON."`
}

// parseCheck reads the command line and the environment. It returns nil if help
// was asked for, which it prints.
func parseCheck(args []string, stdout io.Writer) (*checkFlags, error) {
	var f checkFlags
	exited := false
	parser, err := kong.New(&f,
		kong.Name("seed check"),
		kong.Description(checkDescription),
		kong.DefaultEnvars("SEED_CHECK"),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoAppDescFormat: true}),
		kong.Help(printCheckHelp),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { exited = true }),
		kong.Vars{"timeout": check.DefaultTimeout.String()},
	)
	if err != nil {
		return nil, fmt.Errorf("define the flags: %w", err)
	}
	_, err = parser.Parse(args)
	switch {
	case exited:
		return nil, nil
	case err != nil && strings.Contains(err.Error(), `expected "<url>"`):
		return nil, fmt.Errorf("which seed? Name it, such as seed check wss://seed.example.org")
	case err != nil:
		return nil, plain(err)
	}
	if f.TokenFile != "" {
		if f.Token, err = readToken(f.TokenFile); err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
	}
	return &f, nil
}

// readToken reads the first line that is not empty: the file may be the seed's own.
func readToken(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s has no token in it", path)
}

// runCheck is seed check.
func runCheck(ctx context.Context, args []string) int {
	usage := func(err error) int {
		fmt.Fprintf(os.Stderr, "seed check: %v\nRun \"seed check --help\" for more information.\n", err)
		return exitUsage
	}
	flags, err := parseCheck(args, os.Stdout)
	if err != nil {
		return usage(err)
	}
	if flags == nil {
		return exitOK // help was asked for
	}
	out := &checkPrinter{w: os.Stdout, style: styleOf(os.Stdout, os.Getenv)}
	config := check.Config{
		URL: flags.URL, NetworkID: flags.NetworkID, Token: flags.Token, CAFile: flags.CA,
		Insecure: flags.Insecure, Timeout: flags.Timeout, Skip: flags.Skip,
	}
	if !flags.JSON {
		config.OnStep = out.step
	}
	c, err := check.New(config)
	if err != nil {
		return usage(err)
	}
	report := c.Run(ctx)
	if flags.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(report); err != nil {
			fmt.Fprintf(os.Stderr, "seed check: %v\n", err)
			return exitError
		}
	} else {
		out.verdict(report)
	}
	if !report.OK {
		return exitError
	}
	return exitOK
}
