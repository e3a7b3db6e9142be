package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

var (
	up        = v1.SeedStatus{Name: "up", Ready: true, Reachable: true, Addresses: []string{"wss://a:1"}, Reason: v1.SeedReached, Message: "reached at every address"}
	starting  = v1.SeedStatus{Name: "starting"}
	going     = v1.SeedStatus{Name: "going", Ready: true, Draining: true, Addresses: []string{"wss://b:1"}}
	walled    = v1.SeedStatus{Name: "walled", Ready: true, Addresses: []string{"wss://c:1"}, Reason: v1.SeedDialFailed, Message: "nothing answers at wss://c:1"}
	homeless  = v1.SeedStatus{Name: "homeless", Ready: true, Reason: v1.SeedNoAddress, Message: "its pod is on no node yet"}
	unrelayed = v1.SeedStatus{Name: "unrelayed", Ready: true, Reachable: true, Addresses: []string{"wss://d:1"}, Reason: v1.SeedTURNFailed, Message: "no answer from turn:d:1"}
	half      = v1.SeedStatus{Name: "half", Ready: true, Reachable: true, Addresses: []string{"wss://e:1"}, Reason: v1.SeedDialFailed, Message: "nothing answers at wss://[::1]:1"}
	certified = Finding{v1.ReasonSelfSigned, "good until 2027-01-30"}
)

func TestConditions(t *testing.T) {
	many := slices.Repeat([]v1.SeedStatus{walled}, 5)
	for name, c := range map[string]struct {
		facts                             Facts
		available, progressing, published string // status, reason: message
	}{
		"all is well": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, up}},
			"True SeedsReachable: 2 seeds are reached at published addresses",
			"False Complete: all of 2 seeds are ready",
			"True AllSeedsPublished: the addresses of 2 seeds are published",
		},
		"nothing is there": {
			Facts{Desired: 2, New: true},
			"False NoSeedReady: no seed takes connections; see Progressing",
			"True Creating: 0 of 2 seeds are ready",
			"False NothingToPublish: no seed takes connections; see Progressing",
		},
		"there is no certificate": {
			Facts{Desired: 2, Updated: 2, New: true, Seeds: []v1.SeedStatus{starting, starting}, Certificate: Finding{v1.ReasonSecretMissing, "make it"}},
			"False NoSeedReady: no seed takes connections; see CertificateReady and Progressing",
			"True Creating: 0 of 2 seeds are ready; kubectl describe shows what the others wait for, under Seeds",
			"False NothingToPublish: no seed takes connections; see CertificateReady and Progressing",
		},
		"the first is up": {
			Facts{Desired: 2, Updated: 2, New: true, Seeds: []v1.SeedStatus{up, starting}},
			"True SeedsReachable: 1 seed is reached at published addresses",
			"True Creating: 1 of 2 seeds are ready",
			"True AllSeedsPublished: the addresses of 1 seed are published",
		},
		"one more starts": {
			Facts{Desired: 3, Updated: 3, Added: true, Seeds: []v1.SeedStatus{up, up, starting}},
			"True SeedsReachable: 2 seeds",
			"True ScalingUp: 2 of 3 seeds are ready",
			"True AllSeedsPublished: the addresses of 2 seeds are published",
		},
		"one more is yet to be made": {
			Facts{Desired: 3, Unseen: true, Added: true, Seeds: []v1.SeedStatus{up, up}},
			"True SeedsReachable: 2 seeds",
			"True ScalingUp: 2 of 3 seeds are ready",
			"True AllSeedsPublished: the addresses of 2 seeds are published",
		},
		"one has crashed": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, starting}},
			"True SeedsReachable: 1 seed is",
			"True RollingOut: 1 of 2 seeds are ready; kubectl describe shows what the others wait for, under Seeds",
			"True AllSeedsPublished: the addresses of 1 seed are published",
		},
		"one was evicted": {
			Facts{Desired: 2, Updated: 1, Seeds: []v1.SeedStatus{up}},
			"True SeedsReachable: 1 seed is",
			"True RollingOut: 1 of 2 seeds are ready",
			"True AllSeedsPublished: the addresses of 1 seed are published",
		},
		"the cluster is yet to see a change": {
			Facts{Desired: 2, Unseen: true, Seeds: []v1.SeedStatus{up, up}},
			"True SeedsReachable: 2 seeds",
			"True RollingOut: the cluster has not seen the last change of the seeds yet",
			"True AllSeedsPublished: the addresses of 2 seeds are published",
		},
		"the last one goes, unseen": {
			Facts{Desired: 2, Unseen: true, Seeds: []v1.SeedStatus{up, up, going}},
			"True SeedsReachable: 2 seeds",
			"True ScalingDown: 1 seed has to go, one at a time, until there are 2",
			"False SeedsWithheld: 1 seed",
		},
		"two have to go": {
			Facts{Desired: 2, Updated: 4, Seeds: []v1.SeedStatus{up, up, up, going}},
			"True SeedsReachable: 3 seeds",
			"True ScalingDown: 2 seeds have to go, one at a time, until there are 2",
			"False SeedsWithheld: 1 seed is about to go, and its addresses are withdrawn",
		},
		"the last one goes": {
			Facts{Desired: 2, Updated: 3, Seeds: []v1.SeedStatus{up, up, going}},
			"True SeedsReachable: 2 seeds",
			"True ScalingDown: 1 seed has to go, one at a time, until there are 2",
			"False SeedsWithheld: 1 seed",
		},
		"one is replaced": {
			Facts{Desired: 3, Updated: 1, Seeds: []v1.SeedStatus{up, going, up}},
			"True SeedsReachable: 2 seeds",
			"True RollingOut: 1 of 3 seeds are as the spec says; one at a time is replaced",
			"False SeedsWithheld: 1 seed",
		},
		"one is behind a wall": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, walled}},
			"True SeedsReachable: 1 seed is",
			"False Complete: all of 2",
			"False SeedsWithheld: walled: nothing answers at wss://c:1",
		},
		"one has a TURN server that is silent": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, unrelayed}},
			"True SeedsReachable: 2 seeds",
			"False Complete: all of 2",
			"True AllSeedsPublished: the addresses of 2 seeds are published, without those that are not reached: unrelayed: no answer from turn:d:1",
		},
		"one is reached at one address of two": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, half}},
			"True SeedsReachable: 2 seeds",
			"False Complete: all of 2",
			"True AllSeedsPublished: the addresses of 2 seeds are published, without those that are not reached: half: nothing answers at wss://[::1]:1",
		},
		"one is behind a wall, one has a TURN server that is silent": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{walled, unrelayed}},
			"True SeedsReachable: 1 seed is",
			"False Complete: all of 2",
			"False SeedsWithheld: walled: nothing answers at wss://c:1",
		},
		"all are behind a wall": {
			Facts{Desired: 5, Updated: 5, Seeds: many},
			"False NoSeedReachable: 5 seeds take connections, and none is reached from outside; kubectl describe shows why for each, under Seeds",
			"False Complete: all of 5",
			"False SeedsWithheld: walled: nothing answers at wss://c:1; walled: nothing answers at wss://c:1; walled: nothing answers at wss://c:1; and 2 more",
		},
		"one has no address": {
			Facts{Desired: 3, Updated: 3, Seeds: []v1.SeedStatus{up, homeless, walled}},
			"True SeedsReachable: 1 seed",
			"False Complete: all of 3",
			"False AddressesPending: homeless: its pod is on no node yet",
		},
		"one does not start": {
			Facts{Desired: 2, Updated: 2, Seeds: []v1.SeedStatus{up, starting}, Stalled: "starting: ImagePullBackOff"},
			"True SeedsReachable: 1 seed",
			"False Stalled: starting: ImagePullBackOff",
			"True AllSeedsPublished: the addresses of 1 seed",
		},
		"a quota leaves one out": {
			Facts{Desired: 2, Updated: 1, Seeds: []v1.SeedStatus{up}, Added: true, Unmade: "1 of 2 pods are missing: exceeded quota"},
			"True SeedsReachable: 1 seed",
			"True ScalingUp: 1 of 2 seeds are ready; 1 of 2 pods are missing: exceeded quota",
			"True AllSeedsPublished: the addresses of 1 seed",
		},
		"a quota lets none be replaced": {
			Facts{Desired: 2, Updated: 0, Seeds: []v1.SeedStatus{up}, Unmade: "1 of 2 pods are missing: exceeded quota"},
			"True SeedsReachable: 1 seed",
			"True RollingOut: 0 of 2 seeds are as the spec says; one at a time is replaced; 1 of 2 pods are missing: exceeded quota",
			"True AllSeedsPublished: the addresses of 1 seed",
		},
		"the spec makes no sense": {
			Facts{Problem: &Finding{v1.ReasonInvalidSpec, "say it otherwise"}},
			"False InvalidSpec: say it otherwise", "False InvalidSpec: say it otherwise", "False InvalidSpec: say it otherwise",
		},
		"a Secret is missing": {
			Facts{Problem: &Finding{v1.ReasonSecretMissing, "make it"}},
			"False SecretMissing: make it", "False SecretMissing: make it", "False SecretMissing: make it",
		},
		"the API server is away": {
			Facts{Problem: &Finding{v1.ReasonReconcileFailed, "connection refused"}},
			"Unknown ReconcileFailed: connection refused", "Unknown ReconcileFailed: connection refused", "Unknown ReconcileFailed: connection refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.facts.Generation = 7
			certificate := "False SecretMissing: make it"
			switch {
			case c.facts.Problem != nil:
				certificate = c.available
			case c.facts.Certificate == Finding{}:
				c.facts.Certificate, c.facts.CertificateReady = certified, true
				certificate = "True SelfSigned: good until 2027-01-30"
			}
			got := Conditions(c.facts)
			for i, want := range []struct{ kind, text string }{
				{v1.ConditionAvailable, c.available}, {v1.ConditionProgressing, c.progressing},
				{v1.ConditionPublished, c.published}, {v1.ConditionCertificateReady, certificate},
			} {
				if is := string(got[i].Status) + " " + got[i].Reason + ": " + got[i].Message; got[i].Type != want.kind || !strings.HasPrefix(is, want.text) {
					t.Errorf("%s is %s, want %s to be %s", got[i].Type, is, want.kind, want.text)
				}
				if got[i].ObservedGeneration != 7 {
					t.Errorf("%s is of generation %d", got[i].Type, got[i].ObservedGeneration)
				}
			}
		})
	}
}

// Every reason that there is a constant of stands in the contract of a condition, and
// the other way round.
func TestReasonsAreDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../api/v1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var constants, documented []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(spec.Names[0].Name, "Reason") {
			if spec.Names[0].Name != "Reason"+text {
				t.Errorf("%s is %q", spec.Names[0].Name, text)
			}
			constants = append(constants, text)
		}
		for line := range strings.Lines(spec.Doc.Text()) {
			names, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
			if !ok {
				continue
			}
			names, _, _ = strings.Cut(names, ":")
			documented = append(documented, strings.Split(names, ", ")...)
		}
		return true
	})
	slices.Sort(constants)
	slices.Sort(documented)
	if documented = slices.Compact(documented); !slices.Equal(constants, documented) {
		t.Errorf("there are the reasons\n%q\nand documented are\n%q", constants, documented)
	}
}
