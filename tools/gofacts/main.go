// Gofacts prints what the JSON schemas of Kubernetes leave out of its Go types, as JSON on standard output.
//
// For every struct reachable from a registered kind: its fields in the order in which Go writes them, each as
// [JSON name, type, flags], and the embedded struct that it comes from if it does. A type is a word of this small
// language:
//
//	string bool int32 int64 float64 bytes any   basic kinds; "string=v1.Protocol" where the type has a name
//	*T []T {}T                                  pointer to, list of, map from strings to
//	io.k8s.api.core.v1.PodSpec                  a struct printed elsewhere, or one that marshals itself
//
// Flags: "e" omitempty, "z" omitzero. Structs that marshal themselves are listed with no fields at all under
// "custom"; the reader of the facts knows how each of them is written.
//
// Run it when the facts move to another Kubernetes release: go run . > gofacts.json, then compile_facts.py.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"

	admission "k8s.io/api/admission/v1"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling1 "k8s.io/api/autoscaling/v1"
	autoscaling2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type field = []string

type facts struct {
	Structs map[string][]field `json:"structs"`
	Custom  []string           `json:"custom"`
	seen    map[reflect.Type]bool
}

var marshaler = reflect.TypeOf((*json.Marshaler)(nil)).Elem()

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admission.AddToScheme, admissionregistration.AddToScheme, apidiscovery.AddToScheme, apps.AddToScheme,
		authentication.AddToScheme, authorization.AddToScheme, autoscaling1.AddToScheme, autoscaling2.AddToScheme,
		batch.AddToScheme, certificates.AddToScheme, coordination.AddToScheme, core.AddToScheme,
		discovery.AddToScheme, events.AddToScheme, flowcontrol.AddToScheme, networking.AddToScheme,
		node.AddToScheme, policy.AddToScheme, rbac.AddToScheme, resource.AddToScheme, scheduling.AddToScheme,
		storage.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme, meta.AddMetaToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	found := facts{Structs: map[string][]field{}, Custom: []string{}, seen: map[reflect.Type]bool{}}
	for _, each := range scheme.AllKnownTypes() {
		found.walk(each)
	}
	for _, each := range []any{
		meta.Status{}, meta.APIGroup{}, meta.APIGroupList{}, meta.APIResourceList{}, meta.APIVersions{},
		version.Info{},
	} {
		found.walk(reflect.TypeOf(each))
	}
	slices.Sort(found.Custom) // the scheme tells its types in any order
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(found); err != nil {
		panic(err)
	}
}

// definition is the name that the OpenAPI documents give to a Go type: its host reversed, then its path.
func definition(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	host := strings.Split(parts[0], ".")
	for i, j := 0, len(host)-1; i < j; i, j = i+1, j-1 {
		host[i], host[j] = host[j], host[i]
	}
	return strings.Join(append(append(host, parts[1:]...), t.Name()), ".")
}

func (f *facts) walk(t reflect.Type) {
	if f.seen[t] {
		return
	}
	f.seen[t] = true
	name := definition(t)
	if t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler) {
		f.Custom = append(f.Custom, name)
		return
	}
	f.Structs[name] = []field{} // before its members, which may contain it
	f.Structs[name] = f.members(t)
}

func (f *facts) members(t reflect.Type) []field {
	fields := []field{}
	for i := range t.NumField() {
		member := t.Field(i)
		tag, options, _ := strings.Cut(member.Tag.Get("json"), ",")
		if tag == "-" || !member.IsExported() {
			continue
		}
		if member.Anonymous && tag == "" {
			for _, inner := range f.members(member.Type) {
				path := member.Name
				if len(inner) == 4 {
					path += "." + inner[3]
				}
				fields = append(fields, append(inner[:3:3], path))
			}
			continue
		}
		flags := ""
		if strings.Contains(options, "omitempty") {
			flags += "e"
		}
		if strings.Contains(options, "omitzero") {
			flags += "z"
		}
		fields = append(fields, field{tag, f.word(member.Type), flags})
	}
	return fields
}

func (f *facts) word(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + f.word(t.Elem())
	case reflect.Map:
		return "{}" + f.word(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if t.Implements(marshaler) {
			panic(t.String() + " marshals itself and is no struct")
		}
		return "[]" + f.word(t.Elem())
	case reflect.Struct:
		f.walk(t)
		return definition(t)
	case reflect.Interface:
		return "any"
	}
	if t.PkgPath() != "" {
		return t.Kind().String() + "=" + t.String()
	}
	return t.Kind().String()
}
