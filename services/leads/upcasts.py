"""The stored names of leads' events and timer commands, and the upcasts of older shapes."""

from services.leads.domain import drive, opportunity, rules, vendor
from services.leads.domain.lead import messages as lead
from shared.events.registry import Registry

stored = Registry(
    "leads",
    {
        "LeadCaptured": lead.LeadCaptured,
        "LeadTouched": lead.LeadTouched,
        "InterestStated": lead.InterestStated,
        "LeadGraded": lead.LeadGraded,
        "LeadPlaced": lead.LeadPlaced,
        "LeadAssigned": lead.LeadAssigned,
        "LeadQueued": lead.LeadQueued,
        "ContactReminded": lead.ContactReminded,
        "ContactOverdue": lead.ContactOverdue,
        "LeadContacted": lead.LeadContacted,
        "FollowUpRecorded": lead.FollowUpRecorded,
        "FollowUpReminded": lead.FollowUpReminded,
        "LeadConverted": lead.LeadConverted,
        "LeadDisqualified": lead.LeadDisqualified,
        "LeadRemined": lead.LeadRemined,
        "OpportunityOpened": opportunity.OpportunityOpened,
        "StageEntered": opportunity.StageEntered,
        "OpportunityFollowUpRecorded": opportunity.FollowUpRecorded,
        "LossRequested": opportunity.LossRequested,
        "LossRefused": opportunity.LossRefused,
        "OpportunityLost": opportunity.OpportunityLost,
        "OpportunityWon": opportunity.OpportunityWon,
        "TestDriveBooked": drive.TestDriveBooked,
        "LicenceChecked": drive.LicenceChecked,
        "TestDriveFinished": drive.TestDriveFinished,
        "TestDriveCancelled": drive.TestDriveCancelled,
        "VendorMapped": vendor.VendorMapped,
        "GradingSet": rules.GradingSet,
    },
    commands={
        "RouteLead": lead.RouteLead,
        "RemindContact": lead.RemindContact,
        "EscalateContact": lead.EscalateContact,
        "RemindFollowUp": lead.RemindFollowUp,
        "RemineLead": lead.RemineLead,
        "OpenOpportunity": opportunity.OpenOpportunity,
    },
)
