"""The views, in the order of the menus. A new view is one file and one line here."""

from workbench.desktop.views.anytime import AnytimeView
from workbench.desktop.views.atoms import AtomsView
from workbench.desktop.views.base import View
from workbench.desktop.views.browser import BrowserView
from workbench.desktop.views.compare import CompareView
from workbench.desktop.views.confusion import ConfusionView
from workbench.desktop.views.counts import CountsView
from workbench.desktop.views.evidence import EvidenceView
from workbench.desktop.views.growth import GrowthView
from workbench.desktop.views.images import ImagesView
from workbench.desktop.views.ledger import LedgerView
from workbench.desktop.views.phase import PhaseView
from workbench.desktop.views.raster import RasterView
from workbench.desktop.views.regimes import RegimesView
from workbench.desktop.views.response import ResponseView
from workbench.desktop.views.terms import TermsView
from workbench.desktop.views.traces import TracesView
from workbench.desktop.views.why import WhyView

VIEWS: tuple[type[View], ...] = (
    TracesView,
    TermsView,
    CountsView,
    RasterView,
    PhaseView,
    ResponseView,
    ImagesView,
    EvidenceView,
    WhyView,
    CompareView,
    LedgerView,
    AtomsView,
    ConfusionView,
    AnytimeView,
    GrowthView,
    RegimesView,
    BrowserView,
)
