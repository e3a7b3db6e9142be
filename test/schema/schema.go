package schema

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	definitions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/api/v1/crd"
)

// Schema is the one that PeerNetworks are checked against.
type Schema struct {
	// Definition is the CustomResourceDefinition it is from.
	Definition *apiextensionsv1.CustomResourceDefinition

	structural *structural.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// New reads the definition. Whatever an API server would refuse about it is an
// error: rules that do not compile or may cost too much, defaults that are not
// allowed themselves.
func New(ctx context.Context) (*Schema, error) {
	s := &Schema{Definition: &apiextensionsv1.CustomResourceDefinition{}}
	if err := yaml.UnmarshalStrict(crd.YAML, s.Definition); err != nil {
		return nil, fmt.Errorf("read the definition: %w", err)
	}
	defaulted := s.Definition.DeepCopy()
	apiextensionsv1.SetDefaults_CustomResourceDefinition(defaulted)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&defaulted.Spec)
	defaulted.Status.StoredVersions = []string{v1.GroupVersion.Version} // as the server does on creation
	var internal apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(defaulted, &internal, nil); err != nil {
		return nil, fmt.Errorf("convert the definition: %w", err)
	}
	if errs := definitions.ValidateCustomResourceDefinition(ctx, &internal); len(errs) > 0 {
		return nil, fmt.Errorf("the definition is refused: %w", errs.ToAggregate())
	}
	schema := internal.Spec.Validation
	if schema == nil {
		schema = internal.Spec.Versions[0].Schema
	}
	var err error
	if s.structural, err = structural.NewStructural(schema.OpenAPIV3Schema); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	if s.validator, _, err = validation.NewSchemaValidator(schema.OpenAPIV3Schema); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	s.rules = cel.NewValidator(s.structural, true, celconfig.PerCallLimit)
	return s, nil
}

// Create fills in the defaults of an object and returns what is wrong with it.
func (s *Schema) Create(ctx context.Context, object map[string]any) field.ErrorList {
	return s.write(ctx, object, nil)
}

// Update does the same to an object that replaces an older one.
func (s *Schema) Update(ctx context.Context, object, old map[string]any) field.ErrorList {
	return s.write(ctx, object, old)
}

func (s *Schema) write(ctx context.Context, object, old map[string]any) field.ErrorList {
	var errs field.ErrorList
	unknown := pruning.PruneWithOptions(runtime.DeepCopyJSON(object), s.structural, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		errs = append(errs, field.Forbidden(field.NewPath(path), "unknown field"))
	}
	defaulting.Default(object, s.structural)
	var before any // an untyped nil if there is none
	if old != nil {
		defaulting.Default(old, s.structural)
		before = old
		errs = append(errs, validation.ValidateCustomResourceUpdate(nil, object, old, s.validator)...)
	} else {
		errs = append(errs, validation.ValidateCustomResource(nil, object, s.validator)...)
	}
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if len(errs) > 0 {
		return errs // rules are for objects of the right form
	}
	broken, _ := s.rules.Validate(ctx, nil, s.structural, object, before, celconfig.RuntimeCELCostBudget)
	return broken
}

// Read returns the PeerNetwork of a YAML document as an API server stores it: with
// defaults, if nothing is wrong with it.
func (s *Schema) Read(ctx context.Context, document string) (*v1.PeerNetwork, error) {
	object, err := Object(document)
	if err != nil {
		return nil, err
	}
	if errs := s.Create(ctx, object); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	network := &v1.PeerNetwork{}
	return network, runtime.DefaultUnstructuredConverter.FromUnstructured(object, network)
}
