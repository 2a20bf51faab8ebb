"""Tensors, seeds, ranks and collectives: the floor of glowplug's torch plugins.

Owns: the public names of this distribution.
Must not know: engines and their events.
"""

from __future__ import annotations

from glowplug_torch.auto import auto_dataloader, auto_model, auto_optim
from glowplug_torch.collectives import (
    all_gather,
    all_gather_tensors_with_shapes,
    all_reduce,
    barrier,
    broadcast,
)
from glowplug_torch.configuration import show_config
from glowplug_torch.failures import RankFailed
from glowplug_torch.groups import new_group
from glowplug_torch.hashes import MissingCheckpoint, hash_checkpoint
from glowplug_torch.initialization import finalize, initialize
from glowplug_torch.launchers import InvalidLaunch
from glowplug_torch.logs import setup_logger
from glowplug_torch.parallel import Parallel
from glowplug_torch.ranks import (
    PlacementUnknown,
    RanksWarning,
    available_backends,
    backend,
    device,
    get_local_rank,
    get_nnodes,
    get_node_rank,
    get_nproc_per_node,
    get_rank,
    get_world_size,
    hostname,
    model_name,
    set_local_rank,
    sync,
)
from glowplug_torch.reproducible import (
    ReproducibleBatchSampler,
    draws_batches,
    generators_of,
    reproducible,
    update_dataloader,
)
from glowplug_torch.sampling import DistributedProxySampler
from glowplug_torch.seeds import capture_random_state, manual_seed, restore_random_state
from glowplug_torch.spawning import spawn
from glowplug_torch.tensors import apply_to_tensor, apply_to_type, convert_tensor, to_onehot
from glowplug_torch.turns import one_rank_first, one_rank_only

__all__ = [
    "DistributedProxySampler",
    "InvalidLaunch",
    "MissingCheckpoint",
    "Parallel",
    "PlacementUnknown",
    "RankFailed",
    "RanksWarning",
    "ReproducibleBatchSampler",
    "all_gather",
    "all_gather_tensors_with_shapes",
    "all_reduce",
    "apply_to_tensor",
    "apply_to_type",
    "auto_dataloader",
    "auto_model",
    "auto_optim",
    "available_backends",
    "backend",
    "barrier",
    "broadcast",
    "capture_random_state",
    "convert_tensor",
    "device",
    "draws_batches",
    "finalize",
    "generators_of",
    "get_local_rank",
    "get_nnodes",
    "get_node_rank",
    "get_nproc_per_node",
    "get_rank",
    "get_world_size",
    "hash_checkpoint",
    "hostname",
    "initialize",
    "manual_seed",
    "model_name",
    "new_group",
    "one_rank_first",
    "one_rank_only",
    "reproducible",
    "restore_random_state",
    "set_local_rank",
    "setup_logger",
    "show_config",
    "spawn",
    "sync",
    "to_onehot",
    "update_dataloader",
]
