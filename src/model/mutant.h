// SPDX-License-Identifier: Apache-2.0
// Planted bugs, one at a time, behind the build option 'mutant': the simulator must find each.
// MUTANT(name) is 1 only in that build.
#ifndef WASL_MODEL_MUTANT_H
#define WASL_MODEL_MUTANT_H

#ifndef MUTANT_ack_before_fsync
#define MUTANT_ack_before_fsync 0
#endif
#ifndef MUTANT_watermark_off_by_one
#define MUTANT_watermark_off_by_one 0
#endif
#ifndef MUTANT_dedupe_dropped
#define MUTANT_dedupe_dropped 0
#endif
#ifndef MUTANT_prune_at_held
#define MUTANT_prune_at_held 0
#endif
#ifndef MUTANT_overlay_twice
#define MUTANT_overlay_twice 0
#endif
#ifndef MUTANT_seq_reused
#define MUTANT_seq_reused 0
#endif
#ifndef MUTANT_credit_leak
#define MUTANT_credit_leak 0
#endif
#ifndef MUTANT_settled_not_offered
#define MUTANT_settled_not_offered 0
#endif
#ifndef MUTANT_arrival_wins
#define MUTANT_arrival_wins 0
#endif
#ifndef MUTANT_concurrent_line_lost
#define MUTANT_concurrent_line_lost 0
#endif
#ifndef MUTANT_carriers_both_count
#define MUTANT_carriers_both_count 0
#endif
#ifndef MUTANT_split_billed_twice
#define MUTANT_split_billed_twice 0
#endif
#ifndef MUTANT_void_beats_payment
#define MUTANT_void_beats_payment 0
#endif
#ifndef MUTANT_sale_repriced
#define MUTANT_sale_repriced 0
#endif
#ifndef MUTANT_unauthorised_applied
#define MUTANT_unauthorised_applied 0
#endif
#ifndef MUTANT_grant_ignored
#define MUTANT_grant_ignored 0
#endif
#ifndef MUTANT_rights_as_now
#define MUTANT_rights_as_now 0
#endif
#ifndef MUTANT_answered_again
#define MUTANT_answered_again 0
#endif
#ifndef MUTANT_promised_beyond
#define MUTANT_promised_beyond 0
#endif
#ifndef MUTANT_skew_ignored
#define MUTANT_skew_ignored 0
#endif
#ifndef MUTANT_late_unasked
#define MUTANT_late_unasked 0
#endif
#ifndef MUTANT_copy_goes_on
#define MUTANT_copy_goes_on 0
#endif
#ifndef MUTANT_rank_ignored
#define MUTANT_rank_ignored 0
#endif
#ifndef MUTANT_half_told
#define MUTANT_half_told 0
#endif
#ifndef MUTANT_trimmed_unread
#define MUTANT_trimmed_unread 0
#endif
#ifndef MUTANT_afresh_forgotten
#define MUTANT_afresh_forgotten 0
#endif
#ifndef MUTANT_correction_merged
#define MUTANT_correction_merged 0
#endif
#ifndef MUTANT_frozen_beyond
#define MUTANT_frozen_beyond 0
#endif
#ifndef MUTANT_late_into_closed
#define MUTANT_late_into_closed 0
#endif
#ifndef MUTANT_closed_again
#define MUTANT_closed_again 0
#endif
#ifndef MUTANT_below_unasked
#define MUTANT_below_unasked 0
#endif
#ifndef MUTANT_below_stays
#define MUTANT_below_stays 0
#endif

#define MUTANT(name) MUTANT_##name

#endif
