"""The works behind the methods: printed when, and only when, the page uses them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["REFERENCES", "Reference", "cited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One work.

    Parameters
    ----------
    key : name used in the text.
    text : the entry, without its address.
    url : address to read it at; never loaded by the page.
    number : place in the list of a page, from 1; 0 before it has one.
    """

    key: str
    text: str
    url: str = ""
    number: int = 0


_DOI = "https://doi.org/"
_ENTRIES = (
    ("chen2019", "Chen J, Kallus N, Mao X, Svacha G, Udell M. Fairness under unawareness: assessing disparity when "
     "protected class is unobserved. Proceedings of FAT* 2019:339–348.", "10.1145/3287560.3287594"),
    ("robins1994", "Robins JM, Rotnitzky A, Zhao LP. Estimation of regression coefficients when some regressors "
    "are not "
     "always observed. J Am Stat Assoc 1994;89:846–866.", "10.1080/01621459.1994.10476818"),
    ("angelopoulos2023", "Angelopoulos AN, Duchi JC, Zrnic T. PPI++: efficient prediction-powered inference. "
     "arXiv 2023:2311.01453.", "10.48550/arXiv.2311.01453"),
    ("chernozhukov2018", "Chernozhukov V, Chetverikov D, Demirer M, et al. Double/debiased machine learning for "
     "treatment and structural parameters. Econom J 2018;21:C1–C68.", "10.1111/ectj.12097"),
    ("rubin1987", "Rubin DB. Multiple imputation for nonresponse in surveys. New York: Wiley; 1987.",
     "10.1002/9780470316696"),
    ("barnard1999", "Barnard J, Rubin DB. Small-sample degrees of freedom with multiple imputation. Biometrika "
     "1999;86:948–955.", "10.1093/biomet/86.4.948"),
    ("saerens2002", "Saerens M, Latinne P, Decaestecker C. Adjusting the outputs of a classifier to new a priori "
     "probabilities: a simple procedure. Neural Comput 2002;14:21–41.", "10.1162/089976602753284446"),
    ("wilson1927", "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc "
     "1927;22:209–212.", "10.1080/01621459.1927.10502953"),
    ("obuchowski1997", "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997;53:567–578.",
     "10.2307/2533958"),
    ("delong1988", "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver "
     "operating characteristic curves: a nonparametric approach. Biometrics 1988;44:837–845.", "10.2307/2531595"),
    ("newcombe1998", "Newcombe RG. Interval estimation for the difference between independent proportions: "
    "comparison of "
     "eleven methods. Stat Med 1998;17:873–890.",
     "10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    ("poplin2018", "Poplin R, Varadarajan AV, Blumer K, et al. Prediction of cardiovascular risk factors from retinal "
     "fundus photographs via deep learning. Nat Biomed Eng 2018;2:158–164.", "10.1038/s41551-018-0195-0"),
    ("ahmad2001", "Ahmad OB, Boschi-Pinto C, Lopez AD, et al. Age standardization of rates: a new WHO standard. GPE "
     "Discussion Paper 31. Geneva: World Health Organization; 2001.", ""),
    ("mitchell2019", "Mitchell M, Wu S, Zaldivar A, et al. Model cards for model reporting. Proceedings of FAT* "
     "2019:220–229.", "10.1145/3287560.3287596"),
    ("mantel1959", "Mantel N, Haenszel W. Statistical aspects of the analysis of data from retrospective studies of "
     "disease. J Natl Cancer Inst 1959;22:719–748.", "10.1093/jnci/22.4.719"),
    ("greenland1985", "Greenland S, Robins JM. Estimation of a common effect parameter from sparse follow-up data. "
     "Biometrics 1985;41:55–68.", "10.2307/2530643"),
    ("zou2004", "Zou G. A modified Poisson regression approach to prospective studies with binary data. Am J "
     "Epidemiol 2004;159:702–706.", "10.1093/aje/kwh090"),
    ("breslow1980", "Breslow NE, Day NE. Statistical methods in cancer research I: the analysis of case-control "
     "studies. Lyon: IARC; 1980.", ""),
    ("tarone1985", "Tarone RE. On heterogeneity tests based on efficient scores. Biometrika 1985;72:91–95.",
     "10.1093/biomet/72.1.91"),
    ("efron1987", "Efron B. Better bootstrap confidence intervals. J Am Stat Assoc 1987;82:171–185.",
     "10.1080/01621459.1987.10478410"),
    ("lash2014", "Lash TL, Fox MP, MacLehose RF, Maldonado G, McCandless LC, Greenland S. Good practices for "
     "quantitative bias analysis. Int J Epidemiol 2014;43:1969–1985.", "10.1093/ije/dyu149"),
    ("fox2005", "Fox MP, Lash TL, Greenland S. A method to automate probabilistic sensitivity analyses of "
     "misclassified binary variables. Int J Epidemiol 2005;34:1370–1376.", "10.1093/ije/dyi184"),
    ("carpenter2013", "Carpenter JR, Kenward MG. Multiple imputation and its application. Chichester: Wiley; 2013.",
     "10.1002/9781119942283"),
    ("vanderweele2017", "VanderWeele TJ, Ding P. Sensitivity analysis in observational research: introducing the "
     "E-value. Ann Intern Med 2017;167:268–274.", "10.7326/M16-2607"),
    ("white2011", "White IR, Royston P, Wood AM. Multiple imputation using chained equations: issues and guidance for "
     "practice. Stat Med 2011;30:377–399.", "10.1002/sim.4067"),
    ("liang1986", "Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. Biometrika "
     "1986;73:13–22.", "10.1093/biomet/73.1.13"),
    ("harrell2015", "Harrell FE. Regression modeling strategies, 2nd ed. Cham: Springer; 2015.",
     "10.1007/978-3-319-19425-7"),
    ("greenland1996", "Greenland S. Basic methods for sensitivity analysis of biases. Int J Epidemiol "
     "1996;25:1107–1116.", "10.1093/ije/25.6.1107"),
    ("horowitz2000", "Horowitz JL, Manski CF. Nonparametric analysis of randomized experiments with missing covariate "
     "and outcome data. J Am Stat Assoc 2000;95:77–84.", "10.1080/01621459.2000.10473902"),
    ("heidari2016", "Heidari S, Babor TF, De Castro P, Tort S, Curno M. Sex and gender equity in research: "
    "rationale for "
     "the SAGER guidelines and recommended use. Res Integr Peer Rev 2016;1:2.", "10.1186/s41073-016-0007-6"),
    ("vonelm2007", "von Elm E, Altman DG, Egger M, et al. The Strengthening the Reporting of Observational Studies in "
     "Epidemiology (STROBE) statement. Lancet 2007;370:1453–1457.", "10.1016/S0140-6736(07)61602-X"),
    ("benchimol2015", "Benchimol EI, Smeeth L, Guttmann A, et al. The REporting of studies Conducted using "
     "Observational Routinely-collected health Data (RECORD) statement. PLoS Med 2015;12:e1001885.",
     "10.1371/journal.pmed.1001885"),
    ("collins2024", "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting "
     "clinical prediction models that use regression or machine learning methods. BMJ 2024;385:e078378.",
     "10.1136/bmj-2023-078378"),
    ("bossuyt2015", "Bossuyt PM, Reitsma JB, Bruns DE, et al. STARD 2015: an updated list of essential items for "
     "reporting diagnostic accuracy studies. BMJ 2015;351:h5527.", "10.1136/bmj.h5527"),
)  # fmt: skip

REFERENCES: Mapping[str, Reference] = MappingProxyType(
    {
        key: Reference(key=key, text=text, url=(_DOI + doi.replace("<", "%3C").replace(">", "%3E")) if doi else "")
        for key, text, doi in _ENTRIES
    }
)


def cited(keys: Iterable[str]) -> tuple[Reference, ...]:
    """Number the works in the order in which they are first cited.

    Parameters
    ----------
    keys : citation keys in order of use; repeats are one work.

    Raises
    ------
    KeyError : no such work.

    Examples
    --------
    >>> [(work.number, work.key) for work in cited(["wilson1927", "rubin1987", "wilson1927"])]
    [(1, 'wilson1927'), (2, 'rubin1987')]
    """
    order = list(dict.fromkeys(keys))
    return tuple(
        Reference(key=key, text=REFERENCES[key].text, url=REFERENCES[key].url, number=number)
        for number, key in enumerate(order, start=1)
    )
