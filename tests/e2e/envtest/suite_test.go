package suite

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

func TestSuite(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	widgets := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "example.com", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: "Widget", ListKind: "WidgetList", Plural: "widgets", Singular: "widget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: func() *bool { b := true; return &b }()}}}},
		},
	}
	fail, none := admissionv1.Fail, admissionv1.SideEffectClassNone
	path := "/refuse"
	env := &envtest.Environment{
		CRDs: []*apiextensionsv1.CustomResourceDefinition{widgets},
		WebhookInstallOptions: envtest.WebhookInstallOptions{ValidatingWebhooks: []*admissionv1.ValidatingWebhookConfiguration{{
			ObjectMeta: metav1.ObjectMeta{Name: "refuse"},
			Webhooks: []admissionv1.ValidatingWebhook{{Name: "refuse.example.com", FailurePolicy: &fail, SideEffects: &none,
				AdmissionReviewVersions: []string{"v1"},
				ClientConfig:            admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Name: "s", Namespace: "default", Path: &path}},
				Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{"CREATE"},
					Rule: admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}}}}}},
		}}},
	}
	if os.Getenv("SHOW") != "" {
		env.AttachControlPlaneOutput = true
	}
	if os.Getenv("SHOW") != "" {
		env.ControlPlane.GetAPIServer().Configure().Append("feature-gates", "AnyGate=true")
	}
	began := time.Now()
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("started in %d ms\n", time.Since(began).Milliseconds())
	defer func() {
		began := time.Now()
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
		fmt.Printf("stopped in %d ms\n", time.Since(began).Milliseconds())
	}()

	options := env.WebhookInstallOptions
	server := webhook.NewServer(webhook.Options{Host: options.LocalServingHost, Port: options.LocalServingPort, CertDir: options.LocalServingCertDir})
	server.Register(path, &admission.Webhook{Handler: admission.HandlerFunc(func(ctx context.Context, r admission.Request) admission.Response {
		return admission.Denied("no Secrets here")
	})})
	go server.Start(ctx)
	for {
		conn, err := tls.Dial("tcp", net.JoinHostPort(options.LocalServingHost, fmt.Sprint(options.LocalServingPort)), &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}

	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "WidgetList"})
	watch, err := c.Watch(ctx, list)
	if err != nil {
		t.Fatal(err)
	}
	widget := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": map[string]any{"name": "big", "namespace": "default"}, "spec": map[string]any{"size": int64(3)}}}
	if err := c.Create(ctx, widget); err != nil {
		t.Fatal(err)
	}
	if event := <-watch.ResultChan(); event.Type != "ADDED" {
		t.Fatalf("watched %v", event)
	}
	watch.Stop()
	if err := c.Get(ctx, client.ObjectKeyFromObject(widget), widget); err != nil {
		t.Fatal(err)
	}

	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "default"}}
	if err := c.Create(ctx, secret); !apierrors.IsForbidden(err) {
		t.Fatalf("the webhook was not asked: %v", err)
	}

	user, err := env.AddUser(envtest.User{Name: "jane", Groups: []string{"people"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hers, err := client.New(user.Config(), client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	if err := hers.List(ctx, &corev1.SecretList{}); !apierrors.IsForbidden(err) {
		t.Fatalf("jane may: %v", err)
	}
	if kubectl, err := user.Kubectl(); err == nil && os.Getenv("KUBECTL") != "" {
		out, _, err := kubectl.Run("auth", "whoami", "-o", "name")
		fmt.Println(out, err)
	}
}
