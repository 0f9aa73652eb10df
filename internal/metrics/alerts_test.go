package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

var named = regexp.MustCompile(`belfry_[a-z_]+`)

// unknown returns what expressions name that is no metric, a part of a histogram aside.
func unknown(expr string) (all []string) {
	for _, name := range named.FindAllString(expr, -1) {
		known := slices.ContainsFunc(Sections(), func(s Section) bool {
			return slices.ContainsFunc(s.families, func(f *Family) bool { return f.name == name })
		})
		if !known {
			all = append(all, name)
		}
	}
	return all
}

// TestAlertsNameWhatIsThere: a metric that is renamed would make an alert silent.
func TestAlertsNameWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	rules := file.Groups[0].Rules
	if len(rules) < 10 {
		t.Errorf("%d rules only", len(rules))
	}
	for _, r := range rules {
		if names := unknown(r.Expr); len(names) > 0 || !strings.Contains(r.Expr, "belfry_") {
			t.Errorf("%s asks for %v in %s", r.Alert, names, r.Expr)
		}
		if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no severity, summary or description", r.Alert)
		}
	}
	if len(unknown("rate(belfry_nothing_total[5m])")) != 1 {
		t.Error("an alert about nothing is not found")
	}
}
