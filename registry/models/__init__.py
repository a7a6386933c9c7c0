"""What is kept: packages, releases, their bytes, facts, decisions, documents and the jobs that tend them."""

from registry.models.artifacts import Artifact, ArtifactContents, Blob
from registry.models.decisions import Check, Decision
from registry.models.downloads import DownloadCount, DownloadFold, DownloadRecord
from registry.models.feed import Change, Document
from registry.models.jobs import Job
from registry.models.packages import DistTag, Package, PackageMaintainer
from registry.models.products import Product, ProductGrant, ReleasePin
from registry.models.releases import Dependency, Release, ReleaseManifest
from registry.models.signing import RegistryKey, RegistrySignature
from registry.models.trust import TrustedPublisher

__all__ = [
    "Artifact",
    "ArtifactContents",
    "Blob",
    "Change",
    "Check",
    "Decision",
    "Dependency",
    "DistTag",
    "Document",
    "DownloadCount",
    "DownloadFold",
    "DownloadRecord",
    "Job",
    "Package",
    "PackageMaintainer",
    "Product",
    "ProductGrant",
    "RegistryKey",
    "RegistrySignature",
    "Release",
    "ReleaseManifest",
    "ReleasePin",
    "TrustedPublisher",
]
