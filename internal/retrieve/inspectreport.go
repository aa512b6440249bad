package retrieve

import (
	"context"
	"errors"
	"io"
	"os"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

// listReports lists the reports of a query's only job.
func (i Inspector) listReports(ctx context.Context, q resolve.Query, sel extract.Selection) ([]extract.Listed, error) {
	found, err := i.Resolver.Artifacts(ctx, q)
	if err != nil {
		return nil, err
	}
	var all []extract.Listed
	for n, a := range found {
		if a.JobID != found[0].JobID {
			return nil, &SeveralJobsError{Jobs: 1 + len(found) - n}
		}
		file, a, err := i.openOne(ctx, q, a, false)
		if err != nil {
			return nil, err
		}
		listed, err := extract.ListReport(ctx, file, asReport(a.Report), extract.Selection{})
		tell(i.Events.Listed, file.Stats())
		if err = errors.Join(in(a, err), file.Close()); err != nil {
			return nil, err
		}
		all = append(all, listed...)
	}
	listed, err := extract.Select(all, sel)
	return listed, inReports(err, len(found))
}

// catReport writes a file of a report; without a name, its only one.
func (i Inspector) catReport(ctx context.Context, q resolve.Query, name string, w io.Writer) error {
	a, err := i.One(ctx, q)
	if err != nil {
		return err
	}
	how := i.transfer(os.TempDir())
	how.Partial = true
	file, a, err := i.Open(ctx, q, a, how)
	if err != nil {
		return err
	}
	return errors.Join(in(a, extract.CatReport(ctx, file, asReport(a.Report), name, w)), file.Close())
}

// Reports returns the reports of a query's only job; nil if the token can't see them.
func (i Inspector) Reports(ctx context.Context, q resolve.Query) ([]resolve.Report, error) {
	a, err := i.One(ctx, q)
	if err == nil {
		a, err = i.Resolver.Describe(ctx, a)
	}
	return a.Reports, err
}
