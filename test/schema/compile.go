package schema

import (
	"fmt"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// Compile compiles the rules as an API server of a version of Kubernetes, such as 1.34, does
// when the definition is new to it: with what CEL had in the version before, so that a
// cluster can go back to that one (k8s.io/apiserver/pkg/cel/environment,
// DefaultCompatibilityVersion). It returns the first error.
func (s *Schema) Compile(kubernetes *version.Version) error {
	known := environment.MustBaseEnvSet(version.MajorMinor(kubernetes.Major(), kubernetes.Minor()-1))
	return compile("", s.structural, true, known)
}

func compile(path string, s *structural.Structural, root bool, known *environment.EnvSet) error {
	results, err := cel.Compile(s, model.SchemaDeclType(s, root), celconfig.PerCallLimit, known, cel.NewExpressionsEnvLoader())
	if err != nil {
		return fmt.Errorf("compile the rules of %q: %w", path, err)
	}
	for i, result := range results {
		if result.Error != nil {
			return fmt.Errorf("compile %q of %q: %w", s.XValidations[i].Rule, path, result.Error)
		}
	}
	for name, property := range s.Properties {
		if err := compile(path+"."+name, &property, false, known); err != nil {
			return err
		}
	}
	if s.Items != nil {
		if err := compile(path+"[]", s.Items, false, known); err != nil {
			return err
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		return compile(path+"{}", s.AdditionalProperties.Structural, false, known)
	}
	return nil
}
